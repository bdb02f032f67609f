"""What is particular to a folder as a store."""

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tenantry.errors import PreconditionError, StoreError, StoreUnavailableError
from tenantry.store.drafts import flush_folder, locked
from tenantry.store.folder import FolderStore

LINKS = ["link", "link/secret", "inner/link", "inner/link/secret", "dead/x"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> FolderStore:
    return FolderStore(root)


def _files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_keys_are_paths(store, root):
    store.put("a/b/c.json", b"x")
    assert (root / "a/b/c.json").read_bytes() == b"x"
    (root / "a/d.json").write_bytes(b"by hand")
    assert store.get("a/d.json").content == b"by hand"


def test_the_tag_is_the_digest_of_the_content(store):
    tag = store.put("a", b"x")
    assert tag == hashlib.sha256(b"x").hexdigest()
    assert [found.tag for found in store.list("")] == [tag]


def test_the_url_is_the_folder(root):
    assert FolderStore(root / "with space").url == f"file://{root}/with%20space"
    assert repr(FolderStore(root)) == f"FolderStore('{root}')"


def test_a_missing_folder_is_empty_and_reading_does_not_make_it(store, root):
    assert list(store.list("")) == []
    assert list(store.list_folders("")) == []
    assert store.find("a/b") is None
    store.delete("a/b")
    with pytest.raises(PreconditionError, match="gone"):
        store.put_if_match("a/b", b"", "0")
    assert not root.exists()


def test_only_objects_are_left(store, root):
    tag = store.put_if_absent("a/b", b"1")
    store.put("a/b", b"1")
    store.put_if_match("a/b", b"2", tag)
    store.put("a/b", b"3")
    store.put("c", b"4")
    for refused in (
        lambda: store.put_if_absent("a/b", b"5"),
        lambda: store.put_if_match("a/b", b"5", tag),
    ):
        with pytest.raises(PreconditionError):
            refused()
    store.put("d/e/f", b"6")
    store.delete("d/e/f")
    assert _files(root) == ["a/b", "c"]
    assert not (root / "d").exists()


def test_empty_folders_are_not_listed(store, root):
    store.put("a/b", b"")
    (root / "a/empty/deep").mkdir(parents=True)
    assert list(store.list_folders("a/")) == []
    assert [found.key for found in store.list("")] == ["a/b"]


@pytest.mark.parametrize("first", ["a", "a/b"])
def test_a_key_is_not_the_folder_of_others(store, first):
    store.put(first, b"first")
    second = {"a": "a/b", "a/b": "a"}[first]
    for write in (store.put, store.put_if_absent):
        with pytest.raises(StoreError, match="cannot be the folder"):
            write(second, b"second")
    assert [found.key for found in store.list("")] == [first]


@pytest.mark.parametrize(
    "key", ["link", "link/secret", "inner/link", "inner/link/secret", "dead/x"]
)
def test_no_link_leads_out(store, root, tmp_path, key):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (root / "inner").mkdir(parents=True)
    (root / "link").symlink_to(outside)
    (root / "inner/link").symlink_to(outside)
    (root / "dead").symlink_to(tmp_path / "nowhere")
    for call in (
        lambda: store.get(key),
        lambda: store.find(key),
        lambda: store.put(key, b"new"),
        lambda: store.put_if_absent(key, b"new"),
        lambda: store.put_if_match(key, b"new", "0"),
        lambda: store.delete(key),
        lambda: list(store.list(f"{key}/")),
        lambda: list(store.list_folders(f"{key}/")),
    ):
        with pytest.raises(StoreError, match="symbolic link"):
            call()
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_bytes() == b"secret"
    assert list(store.list("")) == []
    assert list(store.list_folders("")) == []
    assert not (tmp_path / "nowhere").exists()


def test_the_root_may_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    FolderStore(tmp_path / "link").put("a", b"x")
    assert (tmp_path / "real/a").read_bytes() == b"x"


def test_an_object_gone_while_listed_is_left_out(store):
    for key in ("a/1", "a/2", "b/3"):
        store.put(key, b"")
    listing = store.list("")
    assert next(listing).key == "a/1"
    store.delete("a/2")
    store.delete("b/3")
    assert list(listing) == []


def test_objects_obey_the_umask(store, root):
    before = os.umask(0o027)
    try:
        store.put("a", b"")
        store.put_if_absent("b", b"")
    finally:
        os.umask(before)
    assert {stat.S_IMODE((root / name).stat().st_mode) for name in "ab"} == {0o640}


def test_a_lost_draft_is_removed_by_the_next_writer(store, root):
    store.put("a", b"")
    (root / ".~/lost.draft").write_bytes(b"lost")
    assert [found.key for found in store.list("")] == ["a"]
    FolderStore(root).put("b", b"")
    assert list((root / ".~").iterdir()) == []


def test_the_draft_of_a_living_writer_is_left_alone(store, root):
    with store._drafts.draft(b"under way") as draft:
        FolderStore(root).put("b", b"")
        assert draft.read_bytes() == b"under way"


KILLED = """
import os, signal, sys
from pathlib import Path
from tenantry.store import drafts, folder
if sys.argv[2] == "writing":
    os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
else:
    Path.replace = lambda self, target: os.kill(os.getpid(), signal.SIGKILL)
store = folder.FolderStore(Path(sys.argv[1]))
store.put_if_match("a", b"new", store.get("a").tag)
"""


@pytest.mark.parametrize("moment", ["writing", "holding the lock"])
def test_a_writer_that_is_killed_leaves_the_object_as_it_was(store, root, moment):
    tag = store.put("a", b"old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(root), moment], check=False)
    assert done.returncode == -9
    assert [found.key for found in store.list("")] == ["a"]
    assert store.get("a").content == b"old"
    store.put_if_match("a", b"newer", tag)


def test_a_lock_does_not_stay_with_a_forked_child(store):
    """A child forked while a lock is held must not keep it after its parent gave it back."""
    store.put("a", b"")
    path = Path(store.url.removeprefix("file://")) / "a"
    with locked(path):
        child = subprocess.Popen(["sleep", "60"], pass_fds=_locks(path))
    try:
        store.put("a", b"x")
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()


def _locks(path: Path) -> tuple[int, ...]:
    handles = Path("/proc/self/fd").iterdir()
    return tuple(int(handle.name) for handle in handles if os.path.realpath(handle) == str(path))


@pytest.mark.skipif(os.geteuid() != 0, reason="takes another user's rights")
def test_a_folder_that_others_own_is_refused_with_a_remedy(root):
    code = (
        "import os, sys; from pathlib import Path; from tenantry.store.folder import FolderStore\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: FolderStore(Path(sys.argv[1])).put('a', b'')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    root.mkdir(mode=0o755)
    root.parent.chmod(0o755)
    root.parent.parent.chmod(0o755)
    root.parent.parent.parent.chmod(0o755)
    done = subprocess.run([sys.executable, "-c", code, str(root)], capture_output=True, check=True)
    assert done.stdout.decode().startswith("StoreError ")
    assert "let this user read and write there" in done.stdout.decode()


def test_a_folder_that_a_delete_takes_while_it_is_made_is_made_again(store, root, monkeypatch):
    make, taken = os.mkdir, []

    def make_and_lose(path, mode=0o777):
        make(path, mode)
        if path == root / "deep" and not taken:
            taken.append(path)
            os.rmdir(path)

    monkeypatch.setattr(os, "mkdir", make_and_lose)
    store.put_if_absent("deep/race/x", b"whole")
    assert taken
    assert store.get("deep/race/x").content == b"whole"


def test_a_file_system_that_does_not_answer_is_transient(store, monkeypatch):
    def stale(*_: object) -> int:
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(os, "open", stale)
    for call in (lambda: store.get("a"), lambda: store.put("a", b"")):
        with pytest.raises(StoreUnavailableError, match="Stale file handle"):
            call()


def test_a_store_is_light_to_import():
    code = "import sys, tenantry.store.open; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pandas", "numpy", "minio", "urllib3"} & set(done.stdout.split())


def test_a_folder_that_a_delete_took_away_need_not_reach_the_disk(tmp_path):
    flush_folder(tmp_path / "gone" / "x")
    assert not (tmp_path / "gone").exists()
