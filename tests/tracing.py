"""A plugin that measures coverage, by the quick examples of units and the first case of each.

Tracing doubles the time of what is traced. Properties, long tests, further cases and whole runs
reach little that those do not: with `-p tests.tracing` they run untraced, after the others.
"""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from coverage import Coverage

FOLDERS = ("unit", "store", "sources")


@dataclass
class Tracer:
    """Writes a file of what this process ran, for `coverage combine`.

    Attributes:
        is_on: Whether it traces now.
    """

    is_on: bool = False
    _coverage: Coverage = field(default_factory=partial(Coverage, data_suffix=True))

    def switch(self, on: bool) -> None:
        """Trace from now on, or no more."""
        if on != self.is_on:
            (self._coverage.start if on else self._coverage.stop)()
        self.is_on = on

    def save(self) -> None:
        """Write the file."""
        self.switch(False)
        self._coverage.save()


TRACER = pytest.StashKey[Tracer]()
IS_TRACED = pytest.StashKey[bool]()


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Begin before the library is imported."""
    early_config.stash[TRACER] = Tracer()
    early_config.stash[TRACER].switch(True)
    os.register_at_fork(after_in_child=partial(sys.settrace, None))  # what it tells would be lost


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what is traced: what another test imports first counts for nothing."""
    for item in items:
        item.stash[IS_TRACED] = _is_example_of_a_unit(item)
    for further in _further_cases(items):
        further.stash[IS_TRACED] = False
    items.sort(key=lambda item: not item.stash[IS_TRACED])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Trace this test, its fixtures included, or not."""
    item.config.stash[TRACER].switch(item.stash[IS_TRACED])


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave what was found, before xdist is told that this worker has ended, and ends it."""
    session.config.stash[TRACER].save()


def _is_example_of_a_unit(item: pytest.Item) -> bool:
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    is_property = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    return folder in FOLDERS and not is_property and item.get_closest_marker("slow") is None


def _further_cases(items: Iterable[pytest.Item]) -> Iterable[pytest.Item]:
    """Yield all but the first of the cases of each parametrized test."""
    seen = set()
    for item in items:
        test = item.nodeid.partition("[")[0]
        if test in seen:
            yield item
        seen.add(test)
