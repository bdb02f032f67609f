"""Which run of Kubeflow belongs to which try of an Airflow task, and how it is told about."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tenantry_airflow.kubeflow import WELL, Run, Server

_LONGEST = 128
"""Characters of a run's name that Kubeflow keeps for certain."""


@dataclass(frozen=True)
class Identity:
    """Whose run it is; equal for all retries of a task.

    Attributes:
        dag_id, run_id, task_id, map_index: The task, as Airflow names it.
        cleared: The tries there were before somebody cleared the task; a cleared task is to run
            anew.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    cleared: int = 0

    @property
    def mark(self) -> str:
        """Twelve hexadecimal digits that stand for it."""
        parts = [self.dag_id, self.run_id, self.task_id, self.map_index, self.cleared]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def name_run(pipeline: str, parameters: Mapping[str, Any], identity: Identity) -> str:
    """Return the name of a run: what it is for people, and the mark by which it is found again."""
    told = (str(parameters.get(name) or "") for name in ("product", "region", "as_of"))
    words = " ".join(filter(None, (pipeline, *told)))
    mark = f" airflow-{identity.mark}"
    return words[: _LONGEST - len(mark)] + mark


def format_moment(moment: datetime) -> str:
    """Return a moment as the pipeline's `as_of` takes it, in UTC.

    Raises:
        ValueError: It has no time zone.
    """
    if moment.tzinfo is None:
        msg = f"as_of: {moment} has no time zone"
        raise ValueError(msg)
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def is_ours_to_join(run: Run | None) -> bool:
    """Whether a retry goes on with a run instead of starting another one.

    One that goes on, or that went well while nobody looked; one that failed left its work due, and
    another run does it.
    """
    return run is not None and (run.state == WELL or not run.has_ended)


def explain(run: Run, server: Server, summary: str) -> str:
    """Say how a run that did not go well ended.

    Args:
        run: The run.
        server: Where it is.
        summary: The fleet's own summary; empty when it cannot be read.
    """
    lines = [f"{run.run_id} ended as {run.state}: {server.page(run.run_id)}"]
    lines += [summary] if summary else list(run.errors)
    return "\n".join(lines)
