"""CPU time of this process and of the workers that it has waited for."""

import resource


def process_seconds() -> float:
    """Return the user and system time of this process and its ended children since it started."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(sum(usage.ru_utime + usage.ru_stime for usage in usages), 3)
