"""A fleet in a store, published as runs publish it: half of the tenants linear, half boosted."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from benchmarks.serving.pipelines import CATEGORIES, NUMBERS, fit_boosted, fit_linear
from tenantry import layout
from tenantry.digests import sha256
from tenantry.packed.file import write_model
from tenantry.packed.linear import PackedLinear
from tenantry.packed.make import pack_pipeline
from tenantry.packed.model import PackedModel, Part
from tenantry.serving.entries import Entry
from tenantry.serving.index import write_entries
from tenantry.serving.records import ModelFile, ServingRecord, write_record
from tenantry.specs.data import Column, KnownAt, Times
from tenantry.specs.features import CalendarFeature, CategoricalFeature, NumericFeature
from tenantry.store.contract import ObjectStore

PRODUCT = "bench"
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
_TEMPLATES = 5

FIRST = "20261101T000000Z-000000000001"
"""The version that every tenant begins with."""


def name_of(number: int) -> str:
    """Return a tenant's name."""
    return f"t{number:05}"


class Fleet:
    """Makes tenants' models from a few fitted ones, each with numbers of its own."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._linear = [pack_pipeline(fit_linear(seed)) for seed in range(_TEMPLATES)]
        self._boosted = [pack_pipeline(fit_boosted(seed)) for seed in range(_TEMPLATES)]

    def publish(self, tenants: int, *, models: int | None = None) -> None:
        """Publish tenants; of those past `models` the index alone, as nobody asks for them."""
        wanted = tenants if models is None else models
        entries = {}
        for number in range(tenants):
            entry = self._entry(number, 1) if number < wanted else _registered(number)
            entries[name_of(number)] = entry
        write_entries(self._store, PRODUCT, entries)

    def promote(self, number: int, counter: int) -> str:
        """Let another version of a tenant reign; return it."""
        entry = self._entry(number, counter)
        write_entries(self._store, PRODUCT, {name_of(number): entry})
        return entry.version

    def _entry(self, number: int, counter: int) -> Entry:
        tenant, version = name_of(number), f"20261101T000000Z-{counter:012x}"
        content = write_model(PackedModel("own", "classification", own=self._part(number, counter)))
        key = f"{layout.model_folder(PRODUCT, tenant, version)}packed.bin"
        self._store.put(key, content)
        model = ModelFile(version=version, skops="0" * 64, packed=sha256(content))
        record = write_record(self._store, make_record(tenant, model))
        return _named(version, record, counter)

    def _part(self, number: int, counter: int) -> Part:
        """Return a part whose bytes no other has: each is read, loaded and held by itself."""
        kinds = self._boosted if number % 2 else self._linear
        part = kinds[number // 2 % _TEMPLATES]
        random = np.random.default_rng([number, counter])
        if isinstance(part, PackedLinear):
            noise = random.normal(scale=0.01, size=part.coefficients.shape)
            return replace(part, coefficients=part.coefficients + noise)
        noise = random.normal(scale=0.001, size=part.values.shape)
        forest = replace(part.forest, threshold=part.forest.threshold.copy())
        return replace(part, values=part.values + noise, forest=forest)


def make_record(tenant: str, model: ModelFile) -> ServingRecord:
    """Make the serving record of a tenant: 14 raw fields and a time give 15 features."""
    numbers = [name for name in NUMBERS if name != "hour"]
    kinds = {name: NumericFeature(kind="numeric") for name in numbers}
    return ServingRecord(
        product=PRODUCT,
        tenant=tenant,
        model=model,
        trained_until=AS_OF,
        recipe="logistic",
        task="classification",
        parts="own",
        threshold=0.5,
        label="late",
        key=("id",),
        times=Times(
            event_time="departs", known_at=KnownAt(lead="0m"), label_known_at=KnownAt(delay="1h")
        ),
        columns={
            "id": Column(type="category", required=True),
            "departs": Column(type="time", required=True),
            **{name: Column(type="number") for name in numbers},
            **{name: Column(type="category", required=True) for name in CATEGORIES},
        },
        features={
            **kinds,
            "hour": CalendarFeature(kind="calendar", part="hour"),
            **{name: CategoricalFeature(kind="categorical") for name in CATEGORIES},
        },
        own=(*NUMBERS, *CATEGORIES),
        back=timedelta(days=7),
    )


def request_rows(count: int) -> Iterator[dict[str, object]]:
    """Yield rows of raw fields, as a client sends them."""
    random = np.random.default_rng(1)
    for number in range(count):
        row: dict[str, object] = {"id": f"r{number}", "departs": "2026-11-26T17:35:00Z"}
        row |= {f"n{place}": round(float(random.normal()), 3) for place in range(1, 13)}
        row |= {"origin": "JFK", "dest": f"D{number % 40:02}"}
        yield row


def feature_rows(count: int) -> Iterator[dict[str, object]]:
    """Yield the same rows as features."""
    for row in request_rows(count):
        features = {name: value for name, value in row.items() if name not in ("id", "departs")}
        yield features | {"hour": 17.0}


def as_v2(row: dict[str, object]) -> dict[str, object]:
    """Return a row as an inference request of the Open Inference Protocol."""
    return {
        "inputs": [
            {
                "name": name,
                "shape": [1],
                "datatype": "BYTES" if isinstance(value, str) else "FP64",
                "data": [value],
            }
            for name, value in row.items()
        ]
    }


def _registered(number: int) -> Entry:
    return _named(FIRST, sha256(name_of(number).encode()), 1)


def _named(version: str, record: str, counter: int) -> Entry:
    return Entry(
        version=version, record=record, spec="s", published=AS_OF, as_of=AS_OF, counter=counter
    )
