"""What of a tenant may go: all that is old enough and that nothing kept rests on.

Records stay: cards, receipts, judgements, events. They are small, they say that the work was done,
and lineage reads them. Receipts of logged answers go with their files: they are many, and no work
follows from them.
"""

from collections.abc import Iterator
from datetime import datetime

from tenantry.holdings import Holdings
from tenantry.retention.keeping import Keeping, is_young
from tenantry.retention.waste import Waste
from tenantry.specs.model import Spec
from tenantry.times import Window

_RECORD = "card.json"
_PAGES = ("report.html", "page.html", "insights.html", "insights.json")


def find_waste(held: Holdings, spec: Spec, as_of: datetime) -> tuple[tuple[Waste, ...], str]:
    """Find what of a tenant may go; reads, and removes nothing.

    Returns:
        What may go, by key; and why nothing may, empty when something may.
    """
    keeping = Keeping(held, spec, as_of)
    found = (_models, _predictions, _served, _rows, _published)
    waste = tuple(sorted({one for find in found for one in find(keeping)}))
    if held.unreadable:
        first = min(held.unreadable)
        return (), f"{first} cannot be read; restore or delete it"
    return waste, ""


def _models(keeping: Keeping) -> Iterator[Waste]:
    held = keeping.held
    cards = {one.place.name for one in held.of("model") if one.place.part == _RECORD}
    for one in held.of("model"):
        if one.place.name not in cards:
            yield Waste.of("leftover", one)
        elif one.place.name not in keeping.versions and one.place.part != _RECORD:
            yield Waste.of("model", one)


def _predictions(keeping: Keeping) -> Iterator[Waste]:
    held, rules = keeping.held, keeping.rules
    named = {file.key for receipt in held.receipts.values() for file in receipt.files}
    for one in held.of("prediction"):
        if one.place.part == "receipt.json" or one.info.key in keeping.files:
            continue
        yield Waste.of("prediction" if one.info.key in named else "leftover", one)
    for one in held.of("judgement"):
        end = Window.parse(one.place.name).end
        is_page = one.place.part in _PAGES
        if is_page and not is_young(end, rules.monitoring, keeping.as_of):
            yield Waste.of("monitoring", one)


def _served(keeping: Keeping) -> Iterator[Waste]:
    held = keeping.held
    kept = {held.receipts[key].window for key in keeping.receipts}
    files = {(one.place.name, one.place.part) for one in held.of("served")}
    for one in held.of("served"):
        window = one.place.name.split("/")[0]
        end = Window.parse(window).end
        if window not in kept and not is_young(end, keeping.rules.predictions, keeping.as_of):
            yield Waste.of("served", one)
        elif one.place.part == "parquet" and (one.place.name, "json") not in files:
            yield Waste.of("leftover", one)


def _rows(keeping: Keeping) -> Iterator[Waste]:
    held = keeping.held
    for one in held.of("snapshot", "origin"):
        if one.place.name not in keeping.snapshots:
            yield Waste.of("snapshot", one)
    chunks = keeping.chunks
    for one in held.of("chunk"):
        if chunks is not None and one.place.name not in chunks:
            yield Waste.of("snapshot", one)
    used = keeping.features_last_used()
    for one in held.of("features"):
        last = used.get(one.place.name, one.info.modified)
        if not is_young(last, keeping.rules.features, keeping.as_of):
            yield Waste.of("features", one)


def _published(keeping: Keeping) -> Iterator[Waste]:
    for one in keeping.held.of("serving"):
        if one.place.name not in keeping.published:
            yield Waste.of("serving", one)
