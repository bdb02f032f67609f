"""The peers: KServe's and MLServer's servers of scikit-learn models, in environments of their own.

`python -m benchmarks.serving.peers` builds the environments, some 100 MB each.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.minio import cache_folder

MODELS = 50
"""Models that a peer serves: more would not make it faster, and MLServer takes an hour to load."""


@dataclass(frozen=True)
class Peer:
    """A server to compare with.

    Attributes:
        name: What it is called.
        packages: What its environment holds.
        path: Where a tenant's model is asked.
    """

    name: str
    packages: Sequence[str]
    path: str

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return cache_folder() / "serving" / self.name.lower() / "bin" / "python"

    def install(self) -> None:
        """Build its environment, where there is none."""
        if self.python.exists():
            return
        folder = self.python.parent.parent
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)  # noqa: S603
        command = [str(self.python), "-m", "pip", "install", "-q", *self.packages]
        subprocess.run(command, check=True)  # noqa: S603

    def make_models(self, folder: Path) -> None:
        """Fit its models, by its own scikit-learn."""
        command = [str(self.python), "-m", "benchmarks.serving.pipelines", str(folder), str(MODELS)]
        subprocess.run(command, check=True)  # noqa: S603


KSERVE = Peer(
    "KServe", ("kserve==0.21.0", "scikit-learn==1.9.1", "tritonclient[http]==2.73.0"),
    "/v1/models/{name}:predict",
)  # fmt: skip
MLSERVER = Peer(
    "MLServer", ("mlserver==1.7.1", "mlserver-sklearn==1.7.1"), "/v2/models/{name}/infer"
)


def kserve_command(folder: Path, port: int) -> list[str]:
    """Return what starts KServe's server over all models of a folder."""
    program = Path(__file__).with_name("kserve_server.py")
    command = [str(KSERVE.python), str(program), str(folder), f"--http_port={port}"]
    return [*command, "--enable_grpc=false", "--workers=1"]


def mlserver_command(folder: Path, port: int) -> list[str]:
    """Return what starts MLServer over all models of a folder."""
    settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": port + 1,
                "metrics_port": port + 2, "parallel_workers": 0, "debug": False,
                "use_structured_logging": False}  # fmt: skip
    (folder / "settings.json").write_text(json.dumps(settings))
    for place in folder.glob("bench-*"):
        about = {
            "name": place.name,
            "implementation": "mlserver_sklearn.SKLearnModel",
            "parameters": {"uri": "./model.joblib", "content_type": "pd"},
        }
        (place / "model-settings.json").write_text(json.dumps(about))
    return [str(MLSERVER.python.with_name("mlserver")), "start", str(folder)]


def main() -> None:
    """Build both environments."""
    for peer in (KSERVE, MLSERVER):
        peer.install()
        sys.stdout.write(f"{peer.name}: {peer.python}\n")


if __name__ == "__main__":
    main()
