"""Run a command in an image's root: read-only, as any user but root, with no way to become more."""

import os
import resource
import secrets
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Container:
    """A root file system that commands run in.

    Attributes:
        root: The root file system.
        env: The image's environment.
        shared: A folder that is seen inside under the same path, writable.
        read_only: Folders that are seen inside under the same path, read-only.
        user: A user and group of no name.
    """

    root: Path
    env: Mapping[str, str]
    shared: Path
    read_only: Sequence[Path] = ()
    user: int = field(default_factory=lambda: 100_000 + secrets.randbelow(1_000_000))

    def run(
        self, command: Sequence[str], env: Mapping[str, str] | None = None
    ) -> tuple[subprocess.CompletedProcess[str], float]:
        """Run a command; return how it went, and its CPU-seconds."""
        before = _children_seconds()
        inside = {**self.env, **(env or {})}
        done = subprocess.run(
            [
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "sh",
                "-ec",
                self._script(command, [*inside]),
            ],
            env={"PATH": os.environ["PATH"], **{f"IN_{k}": v for k, v in inside.items()}},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done, _children_seconds() - before

    def _script(self, command: Sequence[str], names: Sequence[str]) -> str:
        root = shlex.quote(str(self.root))
        binds = []
        for folder, flags in ((self.shared, ""), *((one, "ro,") for one in self.read_only)):
            inside = f"{root}{folder}"
            (self.root / folder.relative_to("/")).mkdir(parents=True, exist_ok=True)
            binds.append(f"mount --bind {folder} {inside}")
            if flags:
                binds.append(f"mount -o remount,bind,ro {inside}")
        given = " ".join(f'"{name}=$IN_{name}"' for name in names)
        limits = (
            f"setpriv --reuid={self.user} --regid={self.user} --clear-groups --no-new-privs"
            " --bounding-set=-all --inh-caps=-all"
        )
        return "\n".join(
            [
                f"mount --bind {root} {root}",
                f"mount -o remount,bind,ro {root}",
                f"mount -t tmpfs -o mode=1777 tmpfs {root}/tmp",
                f"mount -t proc proc {root}/proc",
                f"mount --rbind /dev {root}/dev",
                *binds,
                f"exec chroot {root} {limits} env -i {given} {shlex.join(command)}",
            ]
        )


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
