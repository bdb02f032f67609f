"""A rollback and a pin, on real flights: what the next runs make of them."""

from datetime import UTC, datetime

from tenantry.champions import read_champion
from tenantry.receipts import read_receipts
from tenantry.registry.history import read_history
from tenantry.registry.orders import Order
from tenantry.registry.pins import pin
from tenantry.registry.rollback import Aim, find_rollback, make_rollback
from tests.fleet.conftest import NOVEMBER, copied
from tests.fleet.harness import PRODUCT

LATER = "2013-11-09"
ORDER = Order("ann", "late flights missed", datetime(2026, 11, 24, tzinfo=UTC))


def test_a_rollback_stands_and_the_next_prediction_uses_it(undisturbed, tmp_path):
    fleet = copied(undisturbed.fleet, tmp_path / "fleet")
    assert undisturbed.november.entries["vx"].fact("promote", "promoted") is True
    move = find_rollback(fleet.store, PRODUCT, "vx", Aim(), order=ORDER)
    restored = make_rollback(fleet.store, PRODUCT, move)
    before = fleet.objects()

    again = fleet.run(NOVEMBER, "run-3", tenants="vx", force=True)
    assert again.failures() == {}
    assert again.entries["vx"].fact("train", "challenger") == move.replaced.version
    assert again.entries["vx"].fact("promote", "promoted") is False
    assert "was rolled back by ann: late flights missed" in again.page
    assert fleet.objects() == before, "the rollback stands, and nothing else changed"

    later = fleet.run(LATER, "run-4", tenants="vx,fl")
    assert later.failures() == {}
    receipts = read_receipts(fleet.store, PRODUCT, "vx")
    last = max(receipts)
    assert (receipts[last].model, receipts[last].in_sample) == (restored.version, False)
    assert last.start < restored.since < last.end, "it began while the other one reigned"
    told = [(one.kind, one.is_current) for one in read_history(fleet.store, PRODUCT, "vx").chapters]
    assert told == [("promoted", False), ("promoted", False), ("rolled_back", True)]


def test_a_pinned_tenant_keeps_its_champion_while_the_others_go_on(undisturbed, tmp_path):
    fleet = copied(undisturbed.then, tmp_path / "fleet")
    held = pin(fleet.store, PRODUCT, "vx", order=ORDER)
    second = fleet.run(NOVEMBER, "run-2", tenants="vx,fl", force=True)
    assert second.failures() == {}
    assert read_champion(fleet.store, PRODUCT, "vx").current.version == held.version
    assert len(read_champion(fleet.store, PRODUCT, "fl").reigns) == 2
    assert second.entries["vx"].fact("predict", "windows") > 0
