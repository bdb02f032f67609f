"""A stage leaves nothing for whoever was erased while it was at work."""

from tenantry import layout
from tenantry.erasure.guard import undo_erased, undo_stage
from tenantry.erasure.subject import erase_rows, read_keys
from tenantry.erasure.tombstones import Tombstone, read_marks, write_tombstone
from tenantry.ledger import Entry, Header, Ledger
from tests.unit.erasure.made import LATE, PRODUCT, WALL, Made, contents, fresh_store, spec_of

SPECS = {name: spec_of(name) for name in ("acme", "bolt")}


def bury(store, tenant="acme"):
    write_tombstone(
        store, Tombstone(product=PRODUCT, tenant=tenant, when=WALL, who="ann", why="ended")
    )


def write_ledger(store, *tenants):
    header = Header(run="r", product=PRODUCT, as_of=LATE, shard="s", stage="train")
    ledger = Ledger(header=header, entries=tuple(Entry(tenant=one) for one in tenants))
    store.put(layout.ledger("r", "s", "train"), ledger.to_lines())
    return ledger


def test_without_an_erasure_nothing_is_touched():
    store = fresh_store()
    ledger = write_ledger(store, "acme", "bolt")
    before = contents(store)
    assert undo_stage(store, ledger, read_marks(store, PRODUCT), SPECS) == ledger
    assert contents(store) == before


def test_what_was_written_for_an_erased_tenant_goes_with_its_line():
    store = fresh_store()
    before = read_marks(store, PRODUCT)
    ledger = write_ledger(store, "acme", "bolt")
    bury(store)
    assert undo_stage(store, ledger, before, SPECS).tenants == {"bolt"}
    key = layout.ledger("r", "s", "train")
    assert Ledger.from_lines(store.get(key).content, key).tenants == {"bolt"}
    assert not list(store.list(layout.tenant_folder(PRODUCT, "acme")))
    assert list(store.list(layout.tenant_folder(PRODUCT, "bolt")))


def test_a_ledger_without_a_line_left_goes():
    store = fresh_store()
    ledger = write_ledger(store, "acme")
    bury(store)
    assert undo_stage(store, ledger, read_marks(store, PRODUCT), SPECS).entries == ()
    assert store.find(layout.ledger("r", "s", "train")) is None


def test_an_erased_tenant_of_another_shard_is_left_to_it():
    store = fresh_store()
    bury(store)
    undo_erased(store, PRODUCT, read_marks(store, PRODUCT), {"bolt": SPECS["bolt"]})
    assert list(store.list(layout.tenant_folder(PRODUCT, "acme")))


def test_rows_that_were_erased_meanwhile_are_taken_out_of_what_was_written():
    store = fresh_store()
    before = read_marks(store, PRODUCT)
    keys = read_keys(SPECS["acme"], ["guest"], [["guest-0"]])
    given = {"who": "ann", "why": "asked", "when": WALL, "active": (), "now": True}
    erase_rows(store, SPECS["acme"], keys, **given)
    clean = contents(store, but=["/erased/", "/monitoring/"])
    Made(store, "acme").run(LATE)  # a stage that had read its rows before
    assert undo_erased(store, PRODUCT, before, SPECS) == frozenset()
    left = contents(store, but=["/erased/", "/monitoring/"])
    assert {key for key in left if "/snapshots/" in key} == {
        key for key in clean if "/snapshots/" in key
    }
    assert not [key for key in left if "/acme/models/" in key]


def test_an_order_that_was_there_before_the_stage_began_is_no_reason_to_look_again():
    store = fresh_store()
    keys = read_keys(SPECS["acme"], ["guest"], [["guest-0"]])
    erase_rows(store, SPECS["acme"], keys, who="ann", why="asked", when=WALL, active=())
    before = contents(store)
    undo_erased(store, PRODUCT, read_marks(store, PRODUCT), SPECS)
    assert contents(store) == before
