"""`make crash-test`: kill many runs, and print what was hit and what went wrong."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.crash.kills import Kill, Killer, table
from tests.crash.places import Buckets, Folders
from tests.crash.tiny import make_tiny_fleet
from tests.crash.zygote import Zygote
from tests.servers.minio import cache_folder, install_minio, minio_running


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="runs to be killed")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random")
    parser.add_argument("--only", type=int, help="repeat this one")
    asked = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="crash-"))
    server = minio_running(install_minio(cache_folder() / "bin"), home)
    with server as minio, Zygote() as zygote:
        (home / "folders").mkdir()
        kinds = (Folders(home / "folders"), Buckets(minio))
        killer = Killer(zygote, home, make_tiny_fleet(home), kinds, asked.seed)
        kills = _kill(killer, asked.kills, asked.only)
    failed = [kill for kill in kills if kill.faults]
    print(table(kills))
    print(f"{len(failed)} of {len(kills)} fleets were not as an undisturbed one; seed {asked.seed}")
    if failed:
        print(f"kept: {home}", *(_tell(kill) for kill in failed), sep="\n")
    return 1 if failed else 0


def _kill(killer: Killer, wanted: int, only: int | None) -> list[Kill]:
    """Kill until so many were killed: some runs end before their moment comes."""
    if only is not None:
        return [killer.kill(only)]
    kills: list[Kill] = []
    number = 0
    while sum(len(kill.tasks) for kill in kills) < wanted:
        kills.append(kill := killer.kill(number))
        number += 1
        if os.isatty(2) or kill.faults:
            print(_tell(kill), file=sys.stderr, flush=True)
    return kills


def _tell(kill: Kill) -> str:
    place = f"--only {kill.number}: {kill.store}, {kill.as_of}, killed in {', '.join(kill.tasks)}"
    return "\n  ".join((place, *kill.faults[:8]))


if __name__ == "__main__":
    sys.exit(main())
