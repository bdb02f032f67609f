"""What tenants contribute together is what each of them contributes alone, whatever their rows."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import PrivateAttr

from tenantry.contributions import Contributions
from tenantry.erasure.suppression import suppress
from tenantry.erasure.tombstones import Marks
from tenantry.sources.connections import Connection, Connections
from tenantry.specs.model import Spec
from tenantry.training.pooled import pool_rows
from tests.unit.memory_store import MemoryStore
from tests.unit.sources.lake import write_parquet

AS_OF = datetime(2024, 3, 1, tzinfo=UTC)
FEATURES = {
    "wind": {"kind": "numeric"},
    "hour": {"kind": "calendar", "part": "hour"},
    "crew": {"kind": "categorical"},
    "no_wind": {"kind": "missing", "column": "wind"},
    "late_9d": {"kind": "history", "of": "label", "over": "9d"},
    "late_crew": {"kind": "history", "of": "label", "by": ["crew"], "over": "20d", "min_rows": 2},
    "delay_9d": {"kind": "history", "of": "delay", "same": "weekday", "over": "90d"},
    "known": {"kind": "history", "of": "delay", "statistic": "count", "over": "9d"},
    "busy": {"kind": "congestion", "over": "2d"},
    "crew_busy": {"kind": "congestion", "by": ["crew"], "over": "30d"},
}
COLUMNS = {
    "number": {"type": "integer"},
    "at": {"type": "time"},
    "crew": {"type": "category"},
    "wind": {"type": "number", "max": 90},
    "delay": {"type": "number"},
    "told_at": {"type": "time"},
    "planned_at": {"type": "time"},
}
TIMES = {"event_time": "at", "known_at": {"lead": "2d"}, "label_known_at": {"delay": "36h"}}
TOLD = {"label_known_at": {"column": "told_at"}}
PLANNED = {"known_at": {"column": "planned_at"}}
SOURCE = {"connection": "here", "kind": "parquet"}
TENANTS = tuple(f"{origin}-{to}" for origin in "abc" for to in ("x", "y"))


class Counted(Connections):
    """Connections that count how often a source is looked for."""

    _found: list[str] = PrivateAttr(default_factory=list)

    @property
    def found(self):
        return len(self._found)

    def find(self, name, place):
        self._found.append(name)
        return super().find(name, place)


def make_spec(tenant, *, paths=("north",), bounds=None, times=None, contract=None, **changes):
    """Make a spec; `bounds` change columns of the contract, `times` when things are known."""
    columns = {name: column | (bounds or {}).get(name, {}) for name, column in COLUMNS.items()}
    return Spec.model_validate(
        {
            "product": "late",
            "tenant": tenant,
            "sources": {"rows": [{"name": path, "path": path, **SOURCE} for path in paths]},
            "row_filter": {"pattern": "(?P<origin>[a-z]+)-(?P<to>[a-z]+)", "case": "upper"},
            "key": ["number"],
            "times": TIMES | (times or {}),
            "contract": {"columns": columns, **(contract or {})},
            "label": {"column": "delay", "above": 15},
            "timezone": "America/New_York",
            "features": FEATURES,
            "model": {"candidates": {"pooled": {}}, "validation": "7d"},
            "train": {"every": "7d", "history": "60d"},
            "gate": {"holdout": "7d"},
            "predict": {"window": "7d", "start": "2024-03-01"},
            "pooled": {"every": "7d", "features": FEATURES},
        }
        | changes
    )


def make_rows(tenant, rows=30, seed=0):
    """Make rows of 80 days, the last of which are known only later than `AS_OF`."""
    random = np.random.default_rng([seed, *tenant.encode()])
    origin, to = tenant.upper().split("-")
    at = pd.Timestamp("2023-12-25", tz="UTC") + pd.to_timedelta(
        random.integers(0, 80 * 24, rows) * 60, unit="m"
    )
    delay = random.integers(-10, 60, rows) / random.choice([1, 2, 3])
    return pd.DataFrame(
        {
            "number": np.arange(rows),
            "at": at.as_unit("us"),
            "crew": random.choice(["red", "blue", None], rows),
            "wind": np.where(random.random(rows) < 0.1, np.nan, random.random(rows) * 80),
            "delay": np.where(random.random(rows) < 0.1, np.nan, delay),
            "told_at": at.as_unit("us") + pd.Timedelta("30h"),
            "planned_at": at.as_unit("us") - pd.to_timedelta(random.integers(0, 5, rows), "D"),
            "origin": origin,
            "to": to,
        }
    )


POISONS = {
    "copies": lambda rows: pd.concat([rows, rows.head(2)]),
    "rivals": lambda rows: pd.concat([rows, rows.head(1).assign(wind=1.5)]),
    "key": lambda rows: rows.assign(number=rows["number"].astype(float).where(rows.index > 1)),
    "half": lambda rows: rows.assign(number=rows["number"] + np.where(rows.index == 3, 0.5, 0.0)),
    "infinite": lambda rows: rows.assign(wind=rows["wind"].where(rows.index != 4, np.inf)),
    "windy": lambda rows: rows.assign(wind=rows["wind"].where(rows.index % 4 > 0, 99.0)),
    "timeless": lambda rows: rows.assign(at=rows["at"].where(rows.index != 5)),
    "long": lambda rows: rows.assign(crew=rows["crew"].where(rows.index != 6, "z" * 20_000)),
    "empty": lambda rows: rows.assign(crew=""),
    "unknown": lambda rows: rows.assign(delay=np.nan),
    "untold": lambda rows: rows.assign(told_at=rows["told_at"].where(rows.index % 3 > 0)),
    "future": lambda rows: rows.assign(at=rows["at"] + pd.Timedelta("90D")),
    "none": lambda rows: rows.head(0),
    "one": lambda rows: rows.head(1),
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("contributions")


def land(folder, frames, name="north", *, by=None):
    """Write rows into a folder: one file, or one for each value of a column."""
    for old in folder.glob(f"{name}/**/*.parquet"):
        old.unlink()
    rows = pd.concat(frames)
    parts = [("all", rows)] if by is None else rows.groupby(by)
    for value, part in parts:
        held = part if by is None else part.drop(columns=by)
        write_parquet(folder / name / ("" if by is None else f"{by}={value}") / "0.parquet", held)
    return Counted(connections={"here": Connection(url=str(folder))})


def contribute(specs, connections, *, alone=False, store=None, marks=None, **more):
    """Return the sample, the fingerprints and the failures of tenants, read together or alone."""
    made = Contributions(AS_OF, store or MemoryStore(), connections, marks or Marks(), **more)
    parts = [[spec] for spec in specs] if alone else [specs]
    sample = pool_rows((frame for part in parts for frame in made.of(part)), 10_000)
    return sample, made.prints, made.failures


def check_equal(specs, connections, **more):
    """Check that together gives what alone gives, and return it."""
    together = contribute(specs, connections, **more)
    alone = contribute(specs, connections, alone=True, **more)
    pd.testing.assert_frame_equal(together[0], alone[0], check_exact=True)
    assert together[1:] == alone[1:]
    assert list(together[2]) == list(alone[2])
    return alone


@settings(max_examples=10)
@given(
    seed=st.integers(0, 10**6),
    poisons=st.dictionaries(st.sampled_from(TENANTS), st.sampled_from(sorted(POISONS)), max_size=4),
    allowed=st.sampled_from([0.0, 0.05, 0.5]),
    lacking=st.sampled_from([1.0, 0.2]),
    times=st.sampled_from([{}, TOLD, PLANNED, TOLD | PLANNED]),
    by=st.sampled_from([None, "origin", "to"]),
    halves=st.booleans(),
)
def test_together_is_alone(folder, seed, poisons, allowed, lacking, times, by, halves):
    frames = {name: make_rows(name, seed=seed) for name in TENANTS}
    for name, poison in poisons.items():
        frames[name] = POISONS[poison](frames[name])
    wholes = [*frames.values()]
    paths = ("north", "south") if halves else ("north",)
    for path, start in zip(paths, (0, 1), strict=False):
        connections = land(folder, [f.iloc[start :: len(paths)] for f in wholes], path, by=by)
    asked = {
        "paths": paths,
        "times": times,
        "contract": {"max_quarantined_share": allowed},
        "bounds": {"wind": {"max_null_share": lacking}},
    }
    specs = [make_spec(name, **asked) for name in TENANTS]
    check_equal(specs, connections)


@pytest.fixture(scope="module")
def clean(folder):
    """The folder of rows of which nothing has to be told."""
    return land(folder, [make_rows(name) for name in TENANTS], "clean").connections


def specs_of(**changes):
    return [make_spec(name, paths=("clean",), **changes) for name in TENANTS]


def test_poisoned_tenants_change_nothing_of_others(folder):
    names = [f"{poison}-x" for poison in POISONS]
    frames = [POISONS[poison](make_rows(name)) for poison, name in zip(POISONS, names, strict=True)]
    connections = land(folder, [*frames, *map(make_rows, TENANTS)], "poisoned")
    specs = [make_spec(name, paths=("poisoned",)) for name in (*names, *TENANTS)]
    _, prints, failures = check_equal(specs, connections)
    assert set(failures) == {"future-x", "none-x", "unknown-x", "windy-x"}
    assert {*prints} | {*failures} == {*names, *TENANTS}


def test_shares_of_missing_values_count_rows_set_aside_and_known_outcomes(folder):
    frames = {name: make_rows(name, rows=20).assign(wind=1.0, delay=20.0) for name in TENANTS}
    bad, late = frames["b-x"], frames["c-y"]
    bad.loc[:4, "wind"], bad["number"] = np.nan, bad["number"].where(bad.index != 0, 0.5)
    late["at"] = pd.date_range("2024-02-27", periods=20, freq="4h", tz="UTC", unit="us")
    bound = {"max_null_share": 0.22}  # of 20 rows 5 lack a value, of the 19 that are kept 4
    connections = land(folder, frames.values(), "shares")
    bounds = {"wind": bound, "delay": bound}
    specs = [make_spec(name, paths=("shares",), bounds=bounds) for name in TENANTS]
    _, prints, failures = check_equal(specs, connections)
    assert ({*failures}, len(prints)) == ({"b-x"}, 5)
    assert connections.found == 2 + len(TENANTS)


@pytest.mark.parametrize("times", [{}, PLANNED])
def test_tenants_without_faults_are_read_at_once(clean, times):
    connections = Counted(connections=clean)
    specs = specs_of(times=times, bounds={"wind": {"max_null_share": 0.9}})
    sample, prints, failures = contribute(specs, connections)
    assert connections.found == 1
    assert ({*sample["tenant"]}, {*prints}, failures) == ({*TENANTS}, {*TENANTS}, {})


def test_a_tenant_of_whom_something_is_told_is_read_alone(folder):
    frames = [make_rows(name) for name in TENANTS[1:]]
    connections = land(folder, frames, "lacking")
    specs = [make_spec(name, paths=("lacking",)) for name in TENANTS]
    _, _, failures = contribute(specs, connections)
    assert connections.found == 2
    words = "a-x: rows: there is none in the span that is read"
    assert failures[TENANTS[0]].startswith(words)


@pytest.mark.parametrize(
    ("changes", "reads"),
    [
        ({"timezone": "UTC"}, 2),
        ({"key": ["number", "at"]}, 2),
        ({"train": {"every": "7d", "history": "30d"}}, 2),
        ({"gate": {"holdout": "14d"}}, 1),
        ({"description": "another"}, 1),
    ],
)
def test_who_differs_in_what_is_read_is_read_apart(clean, changes, reads):
    specs = [*specs_of()[:3], *specs_of(**changes)[3:]]
    connections = Counted(connections=clean)
    contribute(specs, connections)
    assert connections.found == reads


def test_rows_that_were_erased_stay_erased(clean):
    store, specs = MemoryStore(), specs_of()
    connections = Counted(connections=clean)
    suppress(store, specs[2], pd.DataFrame({"number": range(20)}))
    marks = Marks(rows={specs[2].tenant: frozenset({"order"})})
    sample, _, _ = check_equal(specs, connections, store=store, marks=marks)
    counts = sample["tenant"].value_counts()
    assert counts[specs[2].tenant] < 10 < counts[specs[3].tenant]


@pytest.mark.parametrize(("at_once", "reads"), [(10_000, 1), (100, 3), (29, 11)])
def test_too_many_rows_are_read_in_parts(clean, at_once, reads):
    connections, specs = Counted(connections=clean), specs_of()
    whole = contribute(specs, connections)
    before = connections.found
    parts = contribute(specs, connections, at_once=at_once)
    assert connections.found - before == reads
    pd.testing.assert_frame_equal(whole[0], parts[0], check_exact=True)
    assert whole[1:] == parts[1:]


def test_a_file_that_cannot_be_read_fails_those_alone_who_need_it(folder):
    connections = land(folder, map(make_rows, TENANTS), "torn", by="origin")
    (folder / "torn" / "origin=B" / "0.parquet").write_bytes(b"PAR1 no more")
    zones = {"b-x": {"timezone": "UTC"}}
    specs = [make_spec(name, paths=("torn",), **zones.get(name, {})) for name in TENANTS]
    _, prints, failures = check_equal(specs, connections)
    assert {*failures} == {"b-x", "b-y"}
    assert len(prints) == 4


def test_values_that_hang_on_others_are_read_alone(folder):
    rows = [make_rows(name).assign(wind="1.5") for name in TENANTS]
    rows[0]["wind"] = "none"
    connections = land(folder, rows, "texts")
    specs = [make_spec(name, paths=("texts",)) for name in TENANTS]
    contribute(specs, connections)
    assert connections.found == 1 + len(TENANTS)


def test_only_rows_of_the_span_are_read(folder):
    start, end = (pd.Timestamp(AS_OF) + pd.Timedelta(days=days) for days in (-60, 60))
    edges = [start, start - pd.Timedelta("1us"), end, end + pd.Timedelta("1us")]
    frames = [make_rows(n, rows=4).assign(at=pd.DatetimeIndex(edges)) for n in TENANTS]
    connections = land(folder, frames, "edges")
    specs = [make_spec(name, paths=("edges",), times=PLANNED) for name in TENANTS]
    _, prints, _ = check_equal(specs, connections)
    assert {one.split("-")[0] for one in prints.values()} == {"2"}


@pytest.mark.parametrize("columns", [{}, {"origin": {"type": "category"}}])
def test_rows_of_nobody_are_nobodys(folder, columns):
    rows = make_rows("a-x", rows=7)
    marks = [("A", None), (None, "X"), ("A\0X", ""), ("a", "x"), ("A", "X "), ("B", "Z"), ("", "")]
    strange = rows.assign(origin=[o for o, _ in marks], to=[to for _, to in marks])
    connections = land(folder, [strange, *map(make_rows, TENANTS)], "strange")
    contract = {"contract": {"columns": COLUMNS | columns}}
    specs = [make_spec(name, paths=("strange",), **contract) for name in TENANTS]
    assert contribute(specs, connections)[1].keys() == {*TENANTS}
    assert connections.found == 1
    check_equal(specs, connections)


def test_tenants_of_the_same_rows_are_read_alone(clean):
    pattern = "(?P<origin>[a-z]+)-(?P<to>[a-z]+)(-[0-9])?"
    names = ("a-x-1", "a-x-2", "b-x")
    row_filter = {"pattern": pattern, "case": "upper"}
    specs = [make_spec(name, paths=("clean",), row_filter=row_filter) for name in names]
    connections = Counted(connections=clean)
    _, prints, _ = check_equal(specs, connections)
    assert prints["a-x-1"] == prints["a-x-2"] != prints["b-x"]


def test_names_that_are_numbers_in_the_rows_are_read_alone(folder):
    frames = [make_rows("a-x").assign(origin=number) for number in range(3)]
    connections = land(folder, frames, "numbers")
    row_filter = {"pattern": "0*(?P<origin>[0-9]+)-(?P<to>[a-z]+)", "case": "upper"}
    names = ("1-x", "02-x", "03-x")
    specs = [make_spec(name, paths=("numbers",), row_filter=row_filter) for name in names]
    _, prints, failures = check_equal(specs, connections)
    assert ({*prints}, {*failures}) == ({"1-x", "02-x"}, {"03-x"})
