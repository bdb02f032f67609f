"""Importing what a task needs, at the least cost: a task's process imports once and soon ends."""

import gc
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenantry.specs.model import Spec


@contextmanager
def uncollected() -> Iterator[None]:
    """Import, or read much that stays, without looking for garbage meanwhile.

    Looking would find nothing; with Evidently it costs 1.5 of 7.6 CPU-seconds, and a quarter of
    planning a big fleet.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def import_stage(stage: str, specs: "Sequence[Spec]") -> None:
    """Import a stage, and what it needs for these tenants, before workers are forked."""
    with uncollected():
        module = import_module(f"tenantry.stages.{stage}")
        if preload := getattr(module, "preload", None):
            preload(specs)


def limit_threads() -> None:
    """Give each process one thread of BLAS, OpenMP and Arrow, before they are imported."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
