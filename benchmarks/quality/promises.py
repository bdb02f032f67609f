"""Promises: what is stated, what was measured, and whether it holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console


@dataclass(frozen=True)
class Promise:
    """One promise, measured.

    Attributes:
        text: What is promised, with its threshold.
        found: What was measured.
        holds: Whether it holds.
    """

    text: str
    found: str
    holds: bool


def report(promises: Sequence[Promise], console: Console) -> bool:
    """Print a line a promise; return whether all of them hold."""
    for promise in promises:
        verdict = "[green]PASS[/]" if promise.holds else "[red]FAIL[/]"
        console.print(f"{verdict} {promise.text}: {promise.found}", highlight=False)
    return all(promise.holds for promise in promises)
