"""`make crash-test`, `race-test`, `chaos-test`: disturb many runs, tell what came of it."""

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from tenantry.settings import Isolation
from tests.crash.disturbances import Disturbance, Disturber
from tests.crash.kills import Kill, Killer, table
from tests.crash.places import Buckets, Folders
from tests.crash.races import Race, Racer
from tests.crash.tiny import make_tiny_fleet
from tests.crash.trials import Trials
from tests.crash.zygote import Zygote
from tests.servers.minio import MinioServer, cache_folder, install_minio, minio_running

Made = Kill | Race | Disturbance


@dataclass(frozen=True)
class _Bench:
    """What a command works with."""

    trials: Trials
    server: MinioServer
    home: Path
    asked: argparse.Namespace

    @property
    def buckets(self) -> Buckets:
        """Stores in the server."""
        return Buckets(self.server, self.asked.isolation)

    @property
    def numbers(self) -> range:
        """Which are to be made: all, or the one that was asked for."""
        only = self.asked.only
        return range(self.asked.times) if only is None else range(only, only + 1)


def main() -> int:
    asked = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers are stopped
    with _bench(asked) as bench:
        made = list(_watched(COMMANDS[asked.command](bench)))
    print(_summary(asked.command, made))
    failed = [one for one in made if one.faults]
    print(f"{len(failed)} of {len(made)} fleets were not as an undisturbed one; seed {asked.seed}")
    if failed:
        print(f"kept: {bench.home}", *map(_tell, failed), sep="\n")
        return 1
    shutil.rmtree(bench.home)
    return 0


def kill(bench: _Bench) -> Iterator[Kill]:
    """Kill runs until so many were killed: some end before their moment comes."""
    kinds = (Folders(bench.home / "folders"), bench.buckets)
    killer = Killer(bench.trials, kinds, bench.asked.seed)
    wanted, number = bench.asked.times, 0
    if bench.asked.only is not None:
        wanted, number = 0, bench.asked.only
        yield killer.kill(number)
    while wanted > 0:
        yield (made := killer.kill(number))
        wanted, number = wanted - len(made.tasks), number + 1


def race(bench: _Bench) -> Iterator[Race]:
    """Let runs of one slot race, on MinIO."""
    racer = Racer(bench.trials, (bench.buckets,), bench.asked.runs)
    return map(racer.race, bench.numbers)


def restart(bench: _Bench) -> Iterator[Disturbance]:
    """Stop MinIO in the middle of runs, and start it again."""
    return map(_disturber(bench).restart, bench.numbers)


def storm(bench: _Bench) -> Iterator[Disturbance]:
    """Let a share of the requests of runs fail."""
    disturber = _disturber(bench)
    return (disturber.storm(number, bench.asked.share) for number in bench.numbers)


COMMANDS: dict[str, Callable[[_Bench], Iterator[Made]]] = {
    command.__name__: command for command in (kill, race, restart, storm)
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--times", type=int, required=True, help="how many")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random")
    parser.add_argument("--only", type=int, help="repeat this one")
    parser.add_argument("--runs", type=int, default=16, help="runs that race")
    parser.add_argument(
        "--isolation", choices=get_args(Isolation), default="shared", help="of runs on MinIO"
    )
    parser.add_argument("--share", type=float, default=0.05, help="of requests that fail")
    return parser


@contextmanager
def _bench(asked: argparse.Namespace) -> Iterator[_Bench]:
    home = Path(tempfile.mkdtemp(prefix="crash-"))
    (home / "folders").mkdir()
    env = make_tiny_fleet(home)
    binary = install_minio(cache_folder() / "bin")
    with minio_running(binary, home) as server, Zygote() as zygote:
        yield _Bench(Trials(zygote, home, env), server, home, asked)


def _disturber(bench: _Bench) -> Disturber:
    return Disturber(bench.trials, bench.server, bench.buckets, bench.asked.seed)


def _watched(made: Iterator[Made]) -> Iterator[Made]:
    for one in made:
        print(_tell(one), file=sys.stderr, flush=True)
        yield one


def _tell(made: Made) -> str:
    return "\n  ".join((f"--only {made.number}: {_words(made)}", *made.faults[:8]))


def _words(made: Made) -> str:
    if isinstance(made, Kill):
        return f"{made.store}, {made.as_of}, killed in {', '.join(made.tasks) or 'nothing'}"
    if isinstance(made, Race):
        return (
            f"{made.store}, {made.as_of}: {made.working} runs had work; {made.promotions} of"
            f" {made.wanted} promotions, {made.windows} windows"
        )
    end = "completed" if made.is_completed else "failed, the next run completed it"
    hit = f"in {made.task}" if made.task else f"{made.requests} requests"
    hit = hit if made.task or made.requests else "after its end"
    return f"{made.as_of}, {made.what}, {hit}: {end} after {made.seconds:.1f} s"


def _summary(command: str, made: list[Made]) -> str:
    if command == "race":
        races = [one for one in made if isinstance(one, Race)]
        moved, wanted = sum(one.promotions for one in races), sum(one.wanted for one in races)
        working = sum(one.working for one in races)
        return f"{len(races)} races, {working} runs had work: {moved} promotions of {wanted}"
    hits = [(task, one.store) for one in made if isinstance(one, Kill) for task in one.tasks]
    disturbed = [one for one in made if isinstance(one, Disturbance)]
    hits += [(one.task, one.what.partition(",")[0]) for one in disturbed if one.task]
    failed = sum(not one.is_completed for one in disturbed)
    requests = sum(one.requests for one in disturbed)
    told = f"\n{requests} requests failed; {failed} of {len(disturbed)} runs had to be completed"
    return (table(hits) if hits else "") + (told if disturbed else "")


if __name__ == "__main__":
    sys.exit(main())
