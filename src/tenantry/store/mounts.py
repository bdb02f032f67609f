"""Which file system a folder is on."""

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(r"\\(\d{3})")


def file_system(folder: Path, mounts: Path = _MOUNTS) -> str:
    """Return kind and source of the mount that holds `folder`, e.g. ``ext4 /dev/sda1``.

    Args:
        folder: A path without links; need not exist.
        mounts: The kernel's table of mounts; without one, the device's number is told.
    """
    try:
        table = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        return f"device {existing.stat().st_dev}"
    held = [found for found in map(_parse, table) if folder.is_relative_to(found[0])]
    # of mounts at one place the last hides the others
    _, told = max(reversed(held), key=lambda found: len(found[0].parts))
    return told


def _parse(line: str) -> tuple[Path, str]:
    """Return where a line of the table mounts, and what; ``proc(5)`` tells its fields."""
    before, _, after = line.partition(" - ")
    point = _OCTAL.sub(lambda code: chr(int(code[1], 8)), before.split(" ")[4])
    return Path(point), " ".join(after.split(" ")[:2])
