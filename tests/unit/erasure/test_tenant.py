"""A tenant goes whole, whoever else is there stays, and an interrupted erasure is completed."""

import itertools
import json

import pytest

from tenantry import layout
from tenantry.champions import read_champion
from tenantry.crowning import crown
from tenantry.erasure.certificate import Certificate
from tenantry.erasure.completion import complete_erasures
from tenantry.erasure.tenant import erase_tenant, lift_tombstone, survey_tenant
from tenantry.erasure.tombstones import (
    Tombstone,
    is_erased,
    read_marks,
    read_tombstone,
)
from tenantry.ledger import Entry, Header, Ledger
from tenantry.models.pooled import depose, read_pooled_marks
from tenantry.openings import open_shard
from tenantry.plans import read_plan
from tests.unit.erasure.killed import Killed, KillingStore
from tests.unit.erasure.made import (
    EARLY,
    LATE,
    PRODUCT,
    WALL,
    ZONE,
    Made,
    contents,
    fresh_store,
    make_run,
    pooled_version,
    spec_of,
)

ACTIVE = ("bolt",)
POOLS = tuple(f"{ZONE}/{pooled_version(as_of)}" for as_of in (EARLY, LATE))


@pytest.fixture
def store():
    return fresh_store()


def erase(store, *, now=False, why="contract ended"):
    stone = Tombstone(product=PRODUCT, tenant="acme", when=WALL, who="ann", why=why)
    return erase_tenant(store, stone, ACTIVE, now=now)


def named(store):
    """Whatever tells of the tenant, besides what the erasure itself leaves."""
    found = contents(store, but=["/erased/", "/erasures/"])
    return [key for key, content in found.items() if b"acme" in key.encode() + content]


def test_a_survey_tells_what_would_go_and_writes_nothing(store):
    before = contents(store)
    found = survey_tenant(store, PRODUCT, "acme", ACTIVE)
    assert contents(store) == before
    assert {kind: count for kind, (count, _) in found.found.items()} == {
        "feature tables": 2,
        "judgements and drift reports": 6,
        "models": 6,
        "pointers and markers": 1,
        "predictions": 8,
        "snapshots": 5,
    }
    assert found.runs == ("run-1", "run-2")
    assert found.pooled == POOLS
    assert found.in_use == {POOLS[1]: ("bolt",)}


def test_nothing_tells_of_an_erased_tenant_but_tombstone_certificate_and_pooled_model(store):
    done = erase(store)
    assert named(store) == [f"products/{PRODUCT}/pooled/{POOLS[1]}/card.json"]
    assert done.waiting == (POOLS[1],)


def test_now_leaves_not_even_the_pooled_model(store):
    assert erase(store, now=True).waiting == ()
    assert named(store) == []
    assert read_tombstone(store, PRODUCT, "acme").status == "done"


def test_other_tenants_keep_every_byte_and_their_lines(store):
    def others():
        return {key: one for key, one in contents(store).items() if f"/{PRODUCT}/bolt/" in key}

    before = others()
    erase(store)
    assert others() == before
    for run in ("run-1", "run-2"):
        assert list(read_plan(store, run).tenants) == ["bolt"]
    key = layout.ledger("run-1", "both", "ingest")
    assert Ledger.from_lines(store.get(key).content, key).tenants == {"bolt"}
    outcome = json.loads(store.get(layout.pooled_outcome("run-1")).content)
    assert outcome["contributors"] == {"bolt": 7}
    assert outcome["message"] == "left out: (erased), bolt"


def test_a_shard_of_its_own_goes_with_its_name(store):
    erase(store)
    assert read_plan(store, "run-2").shards == ("bolt",)
    assert not [key for key in contents(store) if key.startswith("runs/run-2/ledgers/acme/")]


def test_a_bill_keeps_what_the_others_are_charged(store):
    before = store.get(layout.bill("run-1")).content.decode().splitlines()
    erase(store)
    after = store.get(layout.bill("run-1")).content.decode().splitlines()
    assert after == [line for line in before if not line.startswith("acme,")]
    assert len(after) == len(before) - 1


def test_runs_of_another_product_with_a_tenant_of_that_name_stay(store):
    make_run(store, "other", ("acme",), product="other")
    before = contents(store, but=[])
    erase(store)
    after = contents(store)
    assert all(after[key] == before[key] for key in before if key.startswith("runs/other/"))


def test_a_torn_ledger_that_names_it_goes(store):
    key = layout.ledger("run-1", "both", "train")
    store.put(key, b'{"run":"run-1"}\n{"tenant":"acme","due')
    erase(store, now=True)
    assert named(store) == []


def test_a_run_that_left_no_plan_is_looked_through(store):
    store.delete(layout.plan("run-1"))
    erase(store, now=True)
    assert named(store) == []


def test_the_certificate_tells_kinds_counts_who_why_and_what_is_left_to_do(store):
    done = erase(store)
    stored = Certificate.from_json(store.get(done.key).content, done.key)
    assert stored == done
    assert (done.who, done.why, done.runs) == ("ann", "contract ended", ("run-1", "run-2"))
    assert done.removed["models"][0] == 6
    assert done.removed["pooled models"][0] == 3
    assert done.digest[:12] in done.key
    assert read_tombstone(store, PRODUCT, "acme").certificate == done.key


def test_a_second_order_changes_nothing_and_keeps_the_first_reason(store):
    erase(store, now=True)
    before = contents(store)
    assert erase(store, now=True, why="another").why == "contract ended"
    assert contents(store) == before


@pytest.mark.parametrize("now", [False, True], ids=["later", "now"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_erasure_killed_anywhere_is_completed_by_giving_it_again(after, now):
    whole = fresh_store()
    erase(whole, now=now)
    aside = ("/erased/acme.json", "/erasures/")  # counts tell what was there when it was ordered
    for at in itertools.count(2 if after else 1, 2):
        store = fresh_store()
        killing = KillingStore(store, at, after=after)
        try:
            erase(killing, now=now)
        except Killed:
            is_known = read_marks(store, PRODUCT).waiting or read_tombstone(store, PRODUCT, "acme")
            assert at == 1 or is_known, "it is known not to be done, or all was done"
            erase(store, now=now)
        assert contents(store, but=aside) == contents(whole, but=aside), f"killed at {at}"
        assert erase(store, now=now).removed["snapshots"][0] == 5
        if killing.writes < at:
            break


def test_the_next_plan_goes_on_with_one_that_was_killed(store):
    with pytest.raises(Killed):
        erase(KillingStore(store, 6))
    complete_erasures(store, PRODUCT, {"bolt": spec_of("bolt")})
    assert named(store) == [f"products/{PRODUCT}/pooled/{POOLS[1]}/card.json"]


def test_it_is_done_when_no_champion_stands_on_a_pooled_model_it_fed(store):
    erase(store)
    specs = {"bolt": spec_of("bolt")}
    assert complete_erasures(store, PRODUCT, specs).waiting == {("acme", "")}
    before = contents(store)
    complete_erasures(store, PRODUCT, specs)
    assert contents(store) == before, "as long as nothing has changed, nothing is written"
    reign = read_champion(store, PRODUCT, "bolt").current.model_copy(
        update={"since": LATE.replace(day=9), "version": "20240309T000000Z-bb", "pooled": ""}
    )
    crown(store, PRODUCT, "bolt", reign)
    assert complete_erasures(store, PRODUCT, specs).waiting == frozenset()
    assert named(store) == []
    assert read_tombstone(store, PRODUCT, "acme").status == "done"


def test_a_pooled_model_in_use_is_tainted_and_marks_whose_champions_stand_on_it(store):
    erase(store)
    marked = read_pooled_marks(store, PRODUCT).apply(read_champion(store, PRODUCT, "bolt"))
    assert marked.tainted == {marked.current.version: "rows of an erased tenant are in it"}
    assert list(marked.withdrawn) == [marked.reigns[0].version]


def test_a_deposed_pooled_model_still_serves_until_its_files_go(store):
    depose(store, PRODUCT, ZONE, pooled_version(LATE), "no longer pooled")
    champion = read_champion(store, PRODUCT, "bolt")
    assert read_pooled_marks(store, PRODUCT).apply(champion) == champion
    erase(store)
    assert read_pooled_marks(store, PRODUCT).apply(champion).tainted
    erase(store, now=True)
    assert set(read_pooled_marks(store, PRODUCT).withdrawn) == set(POOLS)


def test_what_a_late_writer_leaves_is_swept_by_the_next_plan(store):
    erase(store, now=True)
    work(store, "late")
    Made(store, "acme").run(LATE)
    complete_erasures(store, PRODUCT, {"bolt": spec_of("bolt")})
    assert named(store) == [layout.opening(PRODUCT, "late", "s")]


def work(store, run, *tenants):
    """Let a run be at work on tenants."""
    header = Header(run=run, product=PRODUCT, as_of=LATE, shard="s", stage="ingest")
    entries = tuple(Entry(tenant=one) for one in tenants or ("acme",))
    open_shard(store, Ledger(header=header, entries=entries))


def test_it_is_not_done_while_a_run_is_at_work_on_the_tenant(store):
    work(store, "run-3")
    erase(store, now=True)
    assert read_tombstone(store, PRODUCT, "acme").runs == ("run-3",)
    specs = {"bolt": spec_of("bolt")}
    assert complete_erasures(store, PRODUCT, specs).waiting
    make_run(store, "run-3", ("acme", "bolt"))  # it wrote its plan late
    store.delete(layout.opening(PRODUCT, "run-3", "s"))
    assert complete_erasures(store, PRODUCT, specs).waiting == frozenset()
    assert named(store) == []


def test_a_lifted_tombstone_leaves_a_record_and_a_clean_start(store):
    erase(store)
    record = Certificate(
        of="lift", product=PRODUCT, tenant="acme", when=WALL, who="bo", why="signed again"
    )
    assert lift_tombstone(store, PRODUCT, "acme", record)
    assert not is_erased(store, PRODUCT, "acme")
    assert read_marks(store, PRODUCT).waiting == frozenset()
    assert store.find(record.key)
    assert not lift_tombstone(store, PRODUCT, "acme", record)
