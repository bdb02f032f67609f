"""What a process in a domain of its own sees of others of its user."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from tenantry.isolation.sandbox import keeps_apart, leave_others, sees_others
from tests.unit.isolation.test_nursery import in_child


def answer(function):
    """Call `function` as a user without rights; return what it says."""
    _, told = in_child(function)
    try:
        return os.read(told, 200).decode()
    finally:
        os.close(told)
        os.wait()


def has_landlock():
    return answer(lambda: b"yes" if leave_others() else b"no") == "yes"


def readable(pid):
    try:
        return b"s3cr3t" in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


WITH_LANDLOCK = pytest.mark.skipif(not has_landlock(), reason="this kernel has no Landlock")


@WITH_LANDLOCK
def test_the_environment_of_who_started_it_is_out_of_reach():
    def look():
        starter = subprocess.Popen(["/bin/sleep", "3"], env={"SECRET": "s3cr3t"})
        while not readable(starter.pid):  # it has yet to become what was started
            time.sleep(0.01)
        leave_others()
        seen = readable(starter.pid), sees_others()
        try:
            starter.kill()  # since Linux 6.12 it is not ours to kill
        except PermissionError:
            seen += ("no signals",)
        return repr(seen).encode()

    assert answer(look).startswith("(False, False")


@WITH_LANDLOCK
def test_siblings_do_not_see_each_other():
    def look():
        sibling = os.fork()
        leave_others()
        if not sibling:
            time.sleep(3)
        time.sleep(0.2)
        return b"seen" if maps(sibling) else b"-"

    assert answer(look) == "-"


@WITH_LANDLOCK
def test_files_are_made_and_moved_as_before(tmp_path):
    child = os.fork()
    if not child:
        leave_others()
        (tmp_path / "a").mkdir()
        (tmp_path / "x").write_text("x")
        (tmp_path / "x").rename(tmp_path / "a" / "y")
        os._exit(0)
    os.waitpid(child, 0)
    assert (tmp_path / "a" / "y").read_text() == "x"


@WITH_LANDLOCK
def test_the_pods_tokens_are_out_of_reach_by_any_name(tmp_path):
    for name in ("run/secrets/kubernetes.io/token", "run/other", "beside"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "run", target_is_directory=True)
    (tmp_path / "var").symlink_to(tmp_path / "run", target_is_directory=True)
    names = ("run/secrets/kubernetes.io/token", "link/secrets/kubernetes.io/token", "run/other",
             "link/other", "beside")  # fmt: skip
    told, tell = os.pipe()
    if not os.fork():
        leave_others(tmp_path / "var" / "secrets")
        leave_others(tmp_path / "var" / "secrets")  # as a worker in its nursery's domain
        places = [Path("/proc/self/root", *(tmp_path / name).parts[1:]) for name in names]
        places += [tmp_path / name for name in names]
        places += [Path(os.__file__), Path("/dev/null"), Path("/proc/self/status")]
        os.write(tell, "".join("y" if can_read(place) else "n" for place in places).encode())
        os._exit(0)
    os.wait()
    assert os.read(told, 100) == b"nnyyynnyyyyyy"


def can_read(path):
    try:
        path.read_bytes()
    except PermissionError:
        return False
    return True


@pytest.mark.parametrize(
    ("version", "user", "apart"), [(1, 10001, True), (-1, 10001, False), (7, 0, False)]
)
def test_workers_are_kept_apart_by_landlock_and_not_from_root(monkeypatch, version, user, apart):
    monkeypatch.setattr("tenantry.isolation.sandbox._version", lambda: version)
    monkeypatch.setattr("os.geteuid", lambda: user)
    assert keeps_apart() is apart


def maps(pid):
    try:
        return bool(Path(f"/proc/{pid}/maps").read_bytes())
    except OSError:
        return False
