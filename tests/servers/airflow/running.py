"""Airflow with all its processes on the loopback: LocalExecutor over PostgreSQL, no log server."""

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

from tests.servers.airflow.install import airflow_program
from tests.servers.processes import Server, free_port

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "integrations" / "airflow" / "src"
DAGS = ROOT / "integrations" / "airflow" / "dags"
PROCESSES = {
    "dag-processor": (),
    "scheduler": ("--skip-serve-logs",),
    "triggerer": ("--skip-serve-logs",),
}


@dataclass(frozen=True)
class Airflow:
    """An Airflow whose database is ready.

    Attributes:
        home: Its folder; logs are in it.
        env: The environment of all its processes.
        port: Where the API server listens, or will.
    """

    home: Path
    env: Mapping[str, str]
    port: int

    def command(self, *arguments: str, fails: bool = False, **environment: str) -> str:
        """Run a command that goes well, or that `fails`; return what it printed, errors too."""
        done = subprocess.run(
            [str(airflow_program()), *arguments],
            env={**self.env, **environment},
            cwd=self.home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=500,
            check=False,
        )
        assert bool(done.returncode) is fails, (
            f"{arguments}: {done.returncode}\n{done.stdout[-6000:]}"
        )
        return done.stdout

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        """Ask the API server; the path is below ``/api/v2``."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v2{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json", "authorization": f"Bearer {self._token}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    @property
    def _token(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/auth/token") as answer:
            return str(json.loads(answer.read())["access_token"])

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Run API server, DAG processor, scheduler and triggerer while the block lasts."""
        with ExitStack() as stack:
            port = ("--host", "127.0.0.1", "--port", str(self.port), "--workers", "1")
            stack.enter_context(self._process("api-server", *port, is_ready=self._answers))
            for name, options in PROCESSES.items():
                stack.enter_context(self._process(name, *options, is_ready=lambda: True))
            yield

    def _process(self, name: str, *options: str, is_ready: Any) -> Server:
        return Server(
            [str(airflow_program()), name, *options],
            is_ready=is_ready,
            log=self.home / f"{name}.log",
            env=self.env,
            seconds=180,
        )

    def _answers(self) -> bool:
        try:
            self.ask("/version")
        except (URLError, OSError):
            return False
        return True


@contextmanager
def airflow_ready(
    home: Path, database: str, dags: Path, environment: Mapping[str, str]
) -> Iterator[Airflow]:
    """Make an Airflow over an empty database.

    Args:
        home: An empty folder.
        database: SQLAlchemy URL of the database, of psycopg.
        dags: The folder of DAGs.
        environment: Further variables, of connections and stages.
    """
    port = free_port()
    (home / "tmp").mkdir()
    airflow = Airflow(home, _environment(home, database, dags, port) | dict(environment), port)
    airflow.command("db", "migrate")
    yield airflow


def _environment(home: Path, database: str, dags: Path, port: int) -> dict[str, str]:
    address = f"http://127.0.0.1:{port}"
    settings = {
        "CORE__DAGS_FOLDER": str(dags),
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "CORE__FERNET_KEY": "",
        "API__BASE_URL": address,
        "API_AUTH__JWT_SECRET": "a-secret-of-tests-that-is-long-enough-for-it",
        "DATABASE__SQL_ALCHEMY_CONN": database.replace("+psycopg:", "+psycopg2:"),
        "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "WORKERS__EXECUTION_API_TIMEOUT": "60",  # a busy machine is no fault
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "LANG": "C.UTF-8",
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": str(PACKAGE),
    } | {f"AIRFLOW__{name}": value for name, value in settings.items()}
