"""Collecting on every kind of store: what goes is gone with all its versions, the rest is whole."""

from tenantry import layout
from tests.unit.retention.specs import collect, find, make_fleet
from tests.unit.small_store import PRODUCT, SmallStore, week


def test_what_goes_leaves_no_version_behind(any_store):
    small = SmallStore(any_store)
    sha = small.snapshot("ua", 7)
    cards = [small.model("ua", n, sha, features=small.features("ua", n)) for n in (7, 14)]
    for card in cards:
        small.crown(card)
    small.judge(small.predict(cards[0], week(1), sha, number=14), sha, number=21)
    fleet = make_fleet(start="2030-01-01", champions=1, models="1d", predictions="1d")
    shown = find(any_store, fleet, 400)
    assert set(shown) == {"features", "model", "prediction"}
    gone = collect(any_store, fleet, 400)
    left = {info.key for info in any_store.list("")}
    assert gone.isdisjoint(left)
    assert f"{layout.model_folder(PRODUCT, 'ua', cards[1].version)}model.skops" in left
    assert find(any_store, fleet, 400) == {}
    for key in gone:
        assert any_store.purge(key).versions == 0
