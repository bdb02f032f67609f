"""Importing what a task needs, at the least cost: a task's process imports once and soon ends."""

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenantry.specs.model import Spec

_LATE = (
    "encodings.idna",
    "numpy.polynomial",
    "numpy.rec",
    "pandas.api.internals",
    "pandas.core.methods.to_dict",
    "pyarrow.pandas_compat",
)
"""What sockets and the libraries of tables import when it is first used."""


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


def import_late() -> None:
    """Import what a worker would import when it first needs it: one forked for a tenant pays anew.

    Of libraries that are not imported nothing is.
    """
    with uncollected():
        for name in _LATE:
            if name.partition(".")[0] in sys.modules:
                import_module(name)


def limit_threads() -> None:
    """Give each process one thread of BLAS, OpenMP and Arrow, before they are imported.

    Arrow's allocator also takes memory as it fills it, not a gibibyte at once, which would count
    against the limit of a worker.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("MIMALLOC_ARENA_EAGER_COMMIT", "0")
