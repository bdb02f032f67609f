"""CPU time of this process and of the workers that it has waited for."""

import resource


def own_seconds() -> float:
    """Return the user and system time of this process since it started."""
    return _seconds(resource.RUSAGE_SELF)


def children_seconds() -> float:
    """Return the user and system time of its children that have ended, and of theirs."""
    return _seconds(resource.RUSAGE_CHILDREN)


def process_seconds() -> float:
    """Return the user and system time of this process and its ended children, rounded to ms."""
    return round(own_seconds() + children_seconds(), 3)


def _seconds(whose: int) -> float:
    usage = resource.getrusage(whose)
    return usage.ru_utime + usage.ru_stime
