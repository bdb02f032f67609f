"""A real MinIO server: built once into the cache, started once a test session."""

import fcntl
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.processes import Server, free_port

MODULE = "github.com/minio/minio"
VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c"
QUICK = {
    "GOGC": "off",  # a compiler's process ends before its garbage is worth collecting
    "GOMEMLIMIT": "2GiB",
    "GOFLAGS": "'-gcflags=all=-N -l -dwarf=false' -ldflags=-w",  # nobody debugs or times it
}
"""Environment of a build that takes a third less CPU time: the same server, somewhat slower."""


@dataclass(frozen=True)
class MinioServer:
    """A server that runs.

    Attributes:
        endpoint: Host and port.
        access_key: Of its administrator.
        secret_key: Of its administrator.
        log: What it said.
        process: Stops it, and starts it again with what it has.
    """

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    log: Path
    process: Server = field(repr=False)


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where things are kept that are made once for all checkouts."""
    base = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".cache"
    return Path(base) / "tenantry"


def install_minio(folder: Path) -> Path:
    """Return the server's binary in `folder`; build it when it is not there.

    The build takes some 4 CPU-minutes and what it needs comes through the Go module proxy.

    Raises:
        RuntimeError: Go is missing, or the build failed.
    """
    binary = folder / f"minio-{VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "minio.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            _build(binary)
    return binary


def find_go(places: Sequence[str] = ("go", "/usr/local/go/bin/go")) -> str:
    """Return Go's command: on the path, or where its installer puts it.

    Raises:
        RuntimeError: It is in none of the places.
    """
    found = next(filter(None, map(shutil.which, places)), None)
    if found is None:
        msg = "Go is missing, MinIO cannot be built; install Go 1.24 or later (https://go.dev/dl)"
        raise RuntimeError(msg)
    return found


def build_command(go: str, target: Path) -> tuple[list[str], dict[str, str]]:
    """Return the command that builds the server into `target`, and its environment."""
    env = {name: value for name, value in os.environ.items() if name not in ("GOOS", "GOARCH")}
    return [go, "install", f"{MODULE}@{VERSION}"], {**QUICK, **env, "GOBIN": str(target)}


def _build(binary: Path) -> None:
    go = find_go()
    with tempfile.TemporaryDirectory(dir=binary.parent) as target:
        command, env = build_command(go, Path(target))
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            msg = f"{command} failed:\n{done.stderr[-3000:]}"
            raise RuntimeError(msg)
        (Path(target) / "minio").replace(binary)


@contextmanager
def minio_running(
    binary: Path,
    folder: Path,
    user: str = "tests",
    *,
    ca_file: Path | None = None,
    more: Mapping[str, str] | None = None,
) -> Iterator[MinioServer]:
    """Run a server with an empty store below `folder`, on a free port of the loopback.

    Args:
        binary: The server.
        folder: Where it keeps all it has.
        user: The access key of its administrator.
        ca_file: Who signed its certificate, where it speaks TLS: `public.crt` and `private.key`
            are then beside it.
        more: What its environment has besides.
    """
    endpoint = f"127.0.0.1:{free_port()}"
    secret, log = secrets.token_hex(16), folder / "minio.log"
    env = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "MINIO_ROOT_USER": user,
        "MINIO_ROOT_PASSWORD": secret,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
        **(more or {}),
    }
    certificates = ["--certs-dir", str(ca_file.parent)] if ca_file else []
    process = Server(
        [str(binary), "server", "--address", endpoint, *certificates, str(folder / "data")],
        is_ready=lambda: _is_ready(endpoint, user, secret, ca_file),
        log=log,
        env=env,
    )
    with process:
        yield MinioServer(endpoint, user, secret, log, process)


def _is_ready(endpoint: str, access_key: str, secret_key: str, ca_file: Path | None) -> bool:
    """Ask for the buckets: the server's own health check says yes before it takes requests."""
    import urllib3
    from minio import Minio
    from minio.error import MinioException
    from urllib3.exceptions import HTTPError

    client = Minio(
        endpoint,
        access_key,
        secret_key,
        secure=ca_file is not None,
        region="us-east-1",
        http_client=urllib3.PoolManager(
            timeout=2, retries=False, ca_certs=str(ca_file) if ca_file else None
        ),
    )
    try:
        client.list_buckets()
    except (MinioException, HTTPError):
        return False
    return True
