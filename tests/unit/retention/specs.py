"""A fleet's specs with a retention, for tests of collecting."""

from datetime import UTC, datetime, timedelta

from tenantry.retention.sweep import Collector, Request
from tenantry.specs.learning import Pooled
from tenantry.specs.load import Fleet
from tenantry.specs.operation import Retention
from tests.unit.small_store import PRODUCT, day
from tests.unit.tiny_fleet import make_spec

NOW = datetime(2100, 1, 1, tzinfo=UTC)


def make_fleet(tenants=("aa", "ua"), *, states=None, start="2013-01-01", **retention):
    rules = Retention.model_validate(retention)
    parts = {"retention": rules, "predict": {"window": "7d", "start": start}}
    specs = {
        name: make_spec(name, state=(states or {}).get(name, "active"), **parts) for name in tenants
    }
    return Fleet(
        product=PRODUCT,
        title="Late",
        description="",
        specs=specs,
        pooled=Pooled.model_validate({"every": "28d"}),
        retention=rules,
        retire_max_share=0.2,
        tenants_may_set=(),
    )


def make_collector(store, fleet, number, *, grace=timedelta(0), tenant="", now=NOW):
    return Collector(store, fleet, Request(day(number), now, grace, tenant))


def parts(store, fleet, number=400, **options):
    """Name → what may go of that part."""
    return {part.name: part for part in make_collector(store, fleet, number, **options).find()}


def find(store, fleet, number, **options):
    """Kind → keys that may go."""
    found = {}
    for part in make_collector(store, fleet, number, **options).find():
        for one in part.waste:
            found.setdefault(one.kind, set()).add(one.key)
    return found


def collect(store, fleet, number, **options):
    """Remove what may go; return the keys that went."""
    collector = make_collector(store, fleet, number, **options)
    swept = collector.sweep(list(collector.find()))
    return {one.key for part in swept for one in part.waste}
