"""Run etcd and kube-apiserver; speak to them with kubectl.

No controllers, no kubelet: what is applied is admitted and stored, nothing is scheduled.
"""

import json
import os
import secrets
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.kubernetes.programs import install_program
from tests.servers.processes import Server, free_port

ADMIN = "admin"


@dataclass(frozen=True)
class ControlPlane:
    """A Kubernetes API that answers.

    Attributes:
        url: Its address.
        token: Of an administrator.
        kubectl: The program.
        folder: Where its files are.
    """

    url: str
    token: str = field(repr=False)
    kubectl: Path
    folder: Path

    def run(
        self, *arguments: str, text: str = "", user: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl; give it `text` as input; as `user`, where one is named."""
        who = [f"--as={user}"] if user else []
        command = [
            str(self.kubectl),
            f"--server={self.url}",
            f"--token={self.token}",
            "--insecure-skip-tls-verify",
            f"--cache-dir={self.folder / 'kubectl'}",
            *who,
            *arguments,
        ]
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "KUBECONFIG": "/dev/null"},
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.stderr[-3000:]}"
        return done

    def get(self, *arguments: str) -> Any:
        """Return what `kubectl get … -o json` prints, read."""
        return json.loads(self.run("get", *arguments, "-o", "json").stdout)

    def post(self, path: str, body: Any, *, user: str = "") -> Any:
        """Post a document to the API, as `user` where one is named; return its answer."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        who = {"Impersonate-User": user} if user else {}
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, {**headers, **who})
        with urllib.request.urlopen(request, timeout=20, context=_unverified()) as answer:
            return json.load(answer)

    def apply(self, text: str, *arguments: str, check: bool = True) -> Sequence[str]:
        """Apply documents on the server's side with strict fields; return what it says of each."""
        flags = ["--server-side", "--validate=strict", "--force-conflicts", "-f", "-"]
        done = self.run("apply", *flags, *arguments, text=text, check=check)
        return (done.stdout + done.stderr).splitlines()


@contextmanager
def control_plane_running(folder: Path) -> Iterator[ControlPlane]:
    """Run an empty cluster below `folder`, on free ports of the loopback."""
    folder.mkdir(parents=True, exist_ok=True)
    programs = {name: install_program(name) for name in ("etcd", "kube-apiserver", "kubectl")}
    client, peer, port = free_port(), free_port(), free_port()
    token = secrets.token_hex(16)
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    etcd = Server(
        [str(programs["etcd"]), *_etcd_flags(folder, client, peer)],
        is_ready=lambda: _answers(f"http://127.0.0.1:{client}/health"),
        log=folder / "etcd.log",
        env=env,
    )
    api = Server(
        [str(programs["kube-apiserver"]), *_api_flags(folder, client, port, token)],
        is_ready=lambda: _answers(f"https://127.0.0.1:{port}/readyz", token),
        log=folder / "kube-apiserver.log",
        env=env,
        seconds=120,
    )
    with etcd, api:
        url = f"https://127.0.0.1:{port}"
        yield ControlPlane(url, token, programs["kubectl"], folder)


def _etcd_flags(folder: Path, client: int, peer: int) -> list[str]:
    return [
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{client}",
        f"--advertise-client-urls=http://127.0.0.1:{client}",
        f"--listen-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-cluster=default=http://127.0.0.1:{peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _api_flags(folder: Path, client: int, port: int, token: str) -> list[str]:
    tokens, key = folder / "tokens.csv", folder / "service-accounts.key"
    tokens.touch(mode=0o600)
    tokens.write_text(f'{token},{ADMIN},1,"system:masters"\n')
    key.touch(mode=0o600)
    key.write_bytes(
        rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return [
        f"--etcd-servers=http://127.0.0.1:{client}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={folder / 'certificates'}",
        f"--token-auth-file={tokens}",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",  # its tokens come from a controller
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--service-cluster-ip-range=10.96.0.0/16",
    ]


def _answers(url: str, token: str = "") -> bool:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=2, context=_unverified()) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@cache
def _unverified() -> ssl.SSLContext:
    """Take the certificate that the server made for itself: it listens on the loopback only."""
    return ssl._create_unverified_context()
