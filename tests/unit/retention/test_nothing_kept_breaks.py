"""Whatever a store holds: after a collection all that is kept can still be read."""

from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenantry import layout
from tenantry.champions import Restored, read_champion
from tenantry.crowning import move_champion
from tenantry.digests import sha256
from tenantry.holdings import Holdings, PooledHoldings
from tests.unit.retention.specs import collect, find, make_fleet
from tests.unit.small_store import PRODUCT, START, SmallStore, day, week

TENANTS = ("aa", "ua")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ua", "ua", "ua", "aa"]),
        st.sampled_from(["own", "own", "pooled", "pooled", "none"]),
        st.sampled_from(["crown", "crown", "crown", "keep", "undecided"]),
        st.sampled_from([2, 3, 1, 0]),
        st.booleans(),
        st.sampled_from(["", "pool", "rollback", "pin", "leftovers", "again"]),
    ),
    min_size=2,
    max_size=8,
)
DAYS = st.sampled_from(["1d", "14d", "30d", None])
STARTS = st.sampled_from(["2013-01-01", "2030-01-01"])
"""Of the first window: with the later one no window is yet to be predicted, which holds models."""
RULES = st.fixed_dictionaries(
    {
        "champions": st.sampled_from([1, 2, 3]),
        **dict.fromkeys(("models", "snapshots", "features", "predictions", "monitoring"), DAYS),
    }
)


@dataclass
class History:
    """Plays steps into a small store, one a week."""

    small: SmallStore = field(default_factory=SmallStore)
    pooled: object = None
    cards: dict = field(default_factory=lambda: {name: [] for name in TENANTS})
    week: int = 1

    def play(self, steps):
        for step in steps:
            self._step(*step)
            self.week += 1
        return self

    def _step(self, tenant, model, decision, windows, judged, event):
        number = 7 * self.week
        months = [f"m{self.week // 4 + one}" for one in range(3)]
        sha = self.small.snapshot(tenant, number, months=months, run=f"run-{self.week}")
        if event == "pool":
            self.pooled = self.small.pool(number, TENANTS, months=months)
        if model != "none":
            self._train(tenant, number, sha, model, decision)
        self._happen(tenant, event)
        champion = read_champion(self.small.store, PRODUCT, tenant)
        cards = {card.version: card for card in self.cards[tenant]}
        for back in range(windows if champion else 0):
            window = week(max(self.week - 1 - back, 0))
            reign = champion.at(window.start) or champion.earliest
            receipt = self.small.predict(
                cards[reign.version],
                window,
                sha,
                number=number,
                in_sample=window.start < reign.since,
            )
            if judged:
                self.small.judge(receipt, sha, number=number)

    def _train(self, tenant, number, sha, model, decision):
        table = self.small.features(tenant, number)
        pooled = self.pooled if model == "pooled" else None
        card = self.small.model(tenant, number, sha, pooled=pooled, features=table)
        self.cards[tenant].append(card)
        champion = read_champion(self.small.store, PRODUCT, tenant)
        if decision == "crown" and not (champion and champion.pin):
            self.small.crown(card)
        elif decision == "keep":
            self.small.decide(card)

    def _happen(self, tenant, event):
        store, cards = self.small.store, self.cards[tenant]
        champion = read_champion(store, PRODUCT, tenant)
        if event == "pin" and champion:
            self.small.pin(next(one for one in cards if one.version == champion.earliest.version))
        elif event == "rollback" and champion and champion.previous:
            _roll_back(store, tenant, champion.previous, day(7 * self.week))
        elif event == "leftovers":
            folder = layout.tenant_folder(PRODUCT, tenant)
            store.put(f"{folder}snapshots/chunks/{sha256(b'torn')}.parquet", b"torn")
            store.put(f"{folder}models/20130101T000000Z-00/model.skops", b"torn")
            name = f"{week(0)}/20130101T000000Z-00-000000000000"
            store.put(f"{folder}predictions/{name}/part-0.parquet", b"torn")
        elif event == "again" and cards:
            self.small.snapshot(tenant, 7 * self.week + 1, months=("m0", "m1", "m2"))


def _roll_back(store, tenant, to, as_of):
    def change(champion):
        origin = champion.origin(to)
        restored = Restored(
            since=origin.since,
            version=origin.version,
            turn=origin.turn,
            who="a",
            why="b",
            when=START,
        )
        current = champion.current
        turn = current.turn + 1 if current.since == as_of else 0
        reign = origin.model_copy(update={"since": as_of, "turn": turn, "restores": restored})
        return champion.with_reign(reign)

    move_champion(store, PRODUCT, tenant, change)


def must_be_readable(history, rules, number):
    """What the retention promises, written without its code: versions, snapshots, files, pooled."""
    keep = {
        name: None if rules[name] is None else timedelta(days=int(rules[name][:-1]))
        for name in ("models", "snapshots", "predictions")
    }

    def is_young(moment, name):
        return keep[name] is None or moment > day(number) - keep[name]

    for tenant in TENANTS:
        held = Holdings(history.small.store, PRODUCT, tenant)
        versions, snapshots, files = set(), set(), set()
        if held.champion:
            ordered = list(dict.fromkeys(one.version for one in reversed(held.champion.reigns)))
            versions |= {*ordered[: rules["champions"]], held.champion.current.version}
            versions |= {held.champion.pin.version} if held.champion.pin else set()
            later = [*held.champion.reigns[1:], None]
            versions |= {
                reign.version
                for reign, after in zip(held.champion.reigns, later, strict=True)
                if after is None or is_young(after.since, "models")
            }
        versions |= {
            v
            for v, card in held.cards.items()
            if is_young(card.as_of, "models")
            and v not in {r.version for r in (held.champion.reigns if held.champion else ())}
        }
        for receipt in held.receipts.values():
            if is_young(receipt.span.end, "predictions"):
                versions.add(receipt.model)
                snapshots.add(receipt.snapshot)
                files |= {(file.key, file.sha256) for file in receipt.files}
        snapshots |= {held.cards[version].snapshot for version in versions}
        snapshots |= {
            one.snapshot for one in held.origins.values() if is_young(one.as_of, "snapshots")
        }
        pooled = {held.cards[version].pooled for version in versions} - {None}
        yield tenant, versions, snapshots, files, pooled


def check_readable(history, promised):
    store = history.small.store
    for tenant, versions, snapshots, files, pooled in promised:
        held = Holdings(store, PRODUCT, tenant)
        for version in versions:
            content = store.get(
                f"{layout.model_folder(PRODUCT, tenant, version)}model.skops"
            ).content
            assert sha256(content) == held.cards[version].file_digest
        for sha in snapshots:
            manifest = held.manifest(sha)
            assert manifest is not None
            for chunk in manifest.chunks:
                content = store.get(layout.chunk(PRODUCT, tenant, chunk.sha256)).content
                assert sha256(content) == chunk.sha256
        for key, digest in files:
            assert sha256(store.get(key).content) == digest
        for part in pooled:
            folder = layout.pooled_folder(PRODUCT, part.zone, part.version)
            assert sha256(store.get(f"{folder}model.skops").content) == part.digest


def records(store):
    """What never goes."""
    names = ("card.json", "receipt.json", "judgement.json", "champion.json", "pooled.json")
    return {
        key: one.content
        for key, one in store.objects.items()
        if key.endswith(names) or "/events/" in key
    }


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, RULES, STARTS, st.integers(0, 40))
def test_all_that_is_kept_is_readable_and_a_second_collection_finds_nothing(
    steps, rules, start, later
):
    history = History().play(steps)
    store, fleet = history.small.store, make_fleet(TENANTS, start=start, **rules)
    number = 7 * history.week + later
    promised = list(must_be_readable(history, rules, number))
    check_readable(history, promised)
    before, kept = dict(store.objects), records(store)
    shown = find(store, fleet, number)
    assert store.objects == before, "finding removes nothing"
    gone = collect(store, fleet, number)
    assert gone == {key for keys in shown.values() for key in keys}
    assert {key for key in before if key not in store.objects} == gone
    check_readable(history, promised)
    assert records(store) == kept
    assert find(store, fleet, number) == {}
    _check_pooled(store)


def _check_pooled(store):
    """The pooled model that reigns is whole, folds and all."""
    for (zone, version), card in PooledHoldings(store, PRODUCT).cards.items():
        newest = max(v for z, v in PooledHoldings(store, PRODUCT).cards if z == zone)
        folder = layout.pooled_folder(PRODUCT, zone, version)
        if version == newest:
            assert all(f"{folder}fold-{cut}.skops" in store.objects for cut in card.folds)


@settings(max_examples=25)
@given(STEPS, RULES)
def test_equal_stores_lose_the_same(steps, rules):
    fleet = make_fleet(TENANTS, **rules)
    one, other = (History().play(steps) for _ in range(2))
    assert find(one.small.store, fleet, 120) == find(other.small.store, fleet, 120)
    collect(one.small.store, fleet, 120)
    collect(other.small.store, fleet, 120)
    assert {key: it.content for key, it in one.small.store.objects.items()} == {
        key: it.content for key, it in other.small.store.objects.items()
    }
