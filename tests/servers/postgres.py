"""A real PostgreSQL 15 server from Debian's package, started once a test session."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.processes import Server, free_port

BINARIES = Path("/usr/lib/postgresql/15/bin")
CONF = Path("/etc/postgresql-common/createcluster.conf")
_ENV = {"PATH": f"{BINARIES}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
_SPEED = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB")


def find_binaries(folder: Path = BINARIES) -> Path:
    """Return the folder of the server's programs.

    Raises:
        RuntimeError: They are not installed.
    """
    if not (folder / "initdb").exists():
        remedy = "run `make test-servers` as root, or: apt-get install postgresql-15"
        msg = f"PostgreSQL 15 is missing ({folder}); {remedy}"
        raise RuntimeError(msg)
    return folder


def install_commands(conf: Path) -> list[list[str]]:
    """Return the commands that install the server from Debian.

    The tests start a server of their own, so `conf` tells the package to make no cluster and
    start no service; it is left alone where it exists.
    """
    write = f"mkdir -p {conf.parent} && echo 'create_main_cluster = false' >{conf}"
    return [
        *([] if conf.exists() else [["sh", "-c", write]]),
        ["apt-get", "update", "-q"],
        ["apt-get", "install", "-q", "-y", "--no-install-recommends", "postgresql-15"],
    ]


def install_postgres(folder: Path = BINARIES, *, is_root: bool | None = None) -> Path:
    """Return the folder of the server's programs; install them when root and they are missing.

    Raises:
        RuntimeError: They are missing and this is not root, or not Debian.
    """
    is_root = os.geteuid() == 0 if is_root is None else is_root
    if not (folder / "initdb").exists() and is_root and shutil.which("apt-get"):
        for command in install_commands(CONF):
            env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(command, check=True, env=env)
    return find_binaries(folder)


@contextmanager
def postgres_running() -> Iterator[str]:
    """Run an empty server on a free port of the loopback; give its SQLAlchemy URL.

    The server refuses to run as root, and pytest's own folders are closed to other users, so its
    data lie in a folder of their own that belongs to `postgres`.
    """
    binaries, user = find_binaries(), "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="tenantry-postgres-"))
    password = secrets.token_hex(16)
    try:
        _initialise(binaries, folder, password, user)
        port = free_port()
        options = (
            f"port={port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={folder}",
        )
        settings = [part for option in (*options, *_SPEED) for part in ("-c", option)]
        ready = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        with Server(
            [str(binaries / "postgres"), "-D", str(folder / "data"), *settings],
            is_ready=lambda: subprocess.run(ready, env=_ENV, check=False).returncode == 0,
            log=folder / "postgres.log",
            env=_ENV,
            user=user,
        ):
            yield f"postgresql+psycopg://postgres:{password}@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(binaries: Path, folder: Path, password: str, user: str | None) -> None:
    secret = folder / "password"
    secret.write_text(password)
    if user:
        owner = pwd.getpwnam(user)
        for path in (folder, secret):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    command = [str(binaries / "initdb"), "-D", str(folder / "data"), "-U", "postgres"]
    command += ["-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--no-sync"]
    done = subprocess.run(
        command,
        env=_ENV,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    if done.returncode:
        msg = f"{command} failed:\n{done.stdout[-1500:]}{done.stderr[-1500:]}"
        raise RuntimeError(msg)
