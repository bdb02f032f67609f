"""Two versions side by side: data, model, spec, features, scores, size."""

import pytest

from tenantry import layout
from tenantry.crowning import crown
from tenantry.curves import Curves, Driver, curves_key
from tenantry.digests import digest
from tenantry.errors import RegistryError
from tenantry.origins import Origin, SourceFile, SourceRead, write_origin
from tenantry.plans import Planned, RunPlan
from tenantry.registry.diff import compare_versions
from tenantry.specs.frozen import freeze_specs
from tests.unit.memory_store import MemoryStore
from tests.unit.registry.made import (
    PRODUCT,
    day,
    decide,
    make_model,
    make_reign,
    make_tenant,
    version,
)
from tests.unit.tiny_fleet import FEATURES, make_spec


def freeze(store, run, spec):
    """Leave the plan and the specs of a run."""
    freeze_specs(store, run, "small", [spec])
    planned = {spec.tenant: Planned(shard="small")}
    plan = RunPlan(
        run=run, product=PRODUCT, title="", as_of=day(0), shards=("small",), tenants=planned
    )
    store.put(layout.plan(run), plan.to_json())
    return {"spec_digest": digest(spec.model_dump(mode="json"))}


@pytest.fixture
def store():
    made = MemoryStore()
    less = {name: what for name, what in FEATURES.items() if name != "wind"}
    first = make_spec()
    second = make_spec(features=less, timezone="America/New_York", pooled={"every": "28d"})
    for number, spec, run in ((0, first, "run-0"), (31, second, "run-31")):
        card = make_model(
            made, number, **freeze(made, run, spec), dropped=("origin",) * (number > 0)
        )
        crown(made, PRODUCT, "ua", make_reign(card, run=run))
        decide(made, card, run=run)
        drivers = (Driver(feature="hour", title="hour", weight=0.5 + number),)
        curves = Curves(version=card.version, metric="log_loss", rows=9, drivers=drivers)
        made.put(curves_key(PRODUCT, "ua", card.version), curves.to_json())
    return made


def lines(store, part, one=0, other=31):
    found = compare_versions(store, PRODUCT, "ua", version(one), version(other))
    return {line.name: (line.one, line.other) for line in found.lines if line.part == part}


def test_data(store):
    found = lines(store, "data")
    assert found["labelled rows"] == (1000, 1031)
    assert found["trained until"] == ("2013-10-01T00:00:00Z", "2013-11-01T00:00:00Z")
    assert found["snapshot"] == ("5" * 12, "5" * 12)


def test_the_source_files_that_the_rows_were_read_from(store):
    read = SourceRead(
        source="rows",
        connection="here",
        kind="csv",
        path="rows.csv",
        rows=9,
        files=tuple(
            SourceFile(name="a.csv", size=size, sha256="a" * 64, modified=day(0))
            for size in (70, 7)
        ),
    )
    for number, files in ((-1, ()), (20, read.files), (40, ())):
        origin = Origin(
            product=PRODUCT,
            tenant="ua",
            snapshot="5" * 64,
            as_of=day(number),
            run="run",
            spec_digest="s",
            code_version="1",
            rows=9,
            fingerprint="",
            reads=(read.model_copy(update={"files": files}),),
        )
        write_origin(store, origin)
    found = lines(store, "data")
    assert found["source files"] == (0, 2)
    assert found["source files, bytes"] == (None, 77)


def test_of_the_specs_only_what_differs_by_its_path(store):
    found = lines(store, "spec")
    assert found.pop("spec")[0] != "s" * 12
    assert found.pop("what training depends on") == ("t" * 12, "t" * 12)
    assert found["timezone"] == ("UTC", "America/New_York")
    assert found["features.wind.kind"] == ("numeric", None)
    assert not [name for name in found if name.startswith("features.hour")]


def test_features_that_one_reads_and_the_other_does_not_and_what_moves_them(store):
    assert lines(store, "features") == {
        "wind": ("read", "not read"),
        "origin": ("read", "not read"),
        "weight of hour": (0.5, 31.5),
    }


def test_scores(store):
    assert lines(store, "scores") == {
        "log_loss of logistic on validation": (0.42, 0.42),
        "log_loss of challenger on the holdout": (0.40, pytest.approx(0.431)),
    }


def test_size(store):
    assert lines(store, "size")["model file, bytes"] == (24, 25)


def test_a_version_is_the_same_as_itself(store):
    found = compare_versions(store, PRODUCT, "ua", version(0), version(0))
    assert [line for line in found.lines if line.differs] == []


def test_a_spec_that_is_gone_with_its_run_is_told(store):
    for key in [key for key in store.objects if key.startswith("runs/run-0/")]:
        del store.objects[key]
    found = compare_versions(store, PRODUCT, "ua", version(0), version(31))
    assert len(found.notes) == 1
    assert f"The spec that {version(0)} was made by is not kept" in found.notes[0]
    assert set(lines(store, "spec")) == {"spec", "what training depends on"}


def test_another_spec_under_the_runs_name_is_not_taken_for_it(store):
    freeze(store, "run-0", make_spec(timezone="Europe/Berlin"))
    found = compare_versions(store, PRODUCT, "ua", version(0), version(31))
    assert len(found.notes) == 1


def test_a_challenger_that_was_kept_back_can_be_compared():
    store = MemoryStore()
    make_tenant(store)
    decide(store, make_model(store, 40), "kept")
    assert lines(store, "data", 31, 40)["labelled rows"] == (1031, 1040)


@pytest.mark.parametrize("place", [0, 1])
def test_an_unknown_version_is_refused_with_a_near_one(store, place):
    versions = [version(0), version(0)]
    versions[place] = version(31)[:-1] + "x"
    with pytest.raises(RegistryError, match=f"did you mean {version(31)}"):
        compare_versions(store, PRODUCT, "ua", *versions)
