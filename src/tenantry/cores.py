"""How many cores this process may use: what a container's CPU limit leaves of the machine."""

import math
import os
from pathlib import Path

CPU_MAX = Path("/sys/fs/cgroup/cpu.max")
"""The limit of the control group, version 2: microseconds of CPU, or `max`, and the period."""


def count_cores(limit: Path = CPU_MAX) -> int:
    """Return the number of cores, at least 1: a limit of 1.5 counts as 2.

    Args:
        limit: The control group's file; without one the cores of the process count.
    """
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = limit.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, math.ceil(int(quota) / int(period))))
