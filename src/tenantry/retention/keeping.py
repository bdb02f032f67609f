"""What of a tenant must stay: the roots of retention, and all that rests on them.

A root is a model that reigns, may be rolled back to, is pinned, was decided on last or is yet to
predict a window; a prediction that is young or not yet judged; a snapshot that is young. From the
roots follow the models that kept predictions were made by, and the rows that kept models and
predictions were made from.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from tenantry.champions import Reign
from tenantry.events import DECISIONS
from tenantry.holdings import Holdings
from tenantry.layout import judgement
from tenantry.models.card import Card
from tenantry.monitoring.judgements import Judgement
from tenantry.predictions import Receipt
from tenantry.receipts import in_force
from tenantry.reigns import Reigned, Reigns
from tenantry.specs.model import Spec
from tenantry.specs.operation import Retention
from tenantry.times import parse_compact, windows_until


def is_young(moment: datetime, keep: timedelta | None, as_of: datetime) -> bool:
    """Say whether what is of a moment is to stay; all is when nothing says how long."""
    return keep is None or moment > as_of - keep


def reigned_versions(
    pointer: Reigns[Any] | None, rules: Retention, as_of: datetime
) -> frozenset[str]:
    """Return the versions that reign, reigned last, or did until not long ago."""
    if pointer is None:
        return frozenset()
    ends = dict(_ends(pointer.remaining))
    latest = sorted(ends, key=lambda version: (ends[version], version), reverse=True)
    young = (version for version in ends if is_young(ends[version], rules.models, as_of))
    return frozenset((*latest[: rules.champions], *young, pointer.current.version))


def _ends(reigns: tuple[Reigned, ...]) -> Iterator[tuple[str, datetime]]:
    """Yield version and end of each reign, by time: of two the later one counts."""
    for number, reign in enumerate(reigns):
        later = reigns[number + 1 :]
        end = later[0].since if later else datetime.max.replace(tzinfo=reign.since.tzinfo)
        yield reign.version, end


@dataclass(frozen=True)
class Keeping:
    """What of a tenant must stay.

    Attributes:
        held: What the store holds of it.
        spec: Its spec.
        as_of: The logical time from which ages are counted.
    """

    held: Holdings
    spec: Spec
    as_of: datetime

    @property
    def rules(self) -> Retention:
        """The tenant's."""
        return self.spec.retention

    @cached_property
    def receipts(self) -> frozenset[str]:
        """Keys of the receipts whose predictions stay."""
        receipts = self.held.receipts
        old = {
            key: receipt
            for key, receipt in receipts.items()
            if not is_young(receipt.span.end, self.rules.predictions, self.as_of)
        }
        return frozenset({*receipts.keys() - old.keys(), *self._unjudged(old)})

    @cached_property
    def files(self) -> frozenset[str]:
        """Keys of the files of predictions that stay."""
        kept = (self.held.receipts[key] for key in self.receipts)
        return frozenset(file.key for receipt in kept for file in receipt.files)

    @cached_property
    def versions(self) -> frozenset[str]:
        """Models that stay whole; of others the card does."""
        champion = self.held.champion
        kept = {self.held.receipts[key].model for key in self.receipts}
        kept |= reigned_versions(champion, self.rules, self.as_of)
        kept |= self._last_decided()
        if self.held.served and self.held.served.trial:
            kept |= {self.held.served.trial.version}
        if champion is not None:
            reigned = {reign.version for reign in champion.reigns}
            kept |= {champion.pin.version} if champion.pin else set()
            kept |= {reign.version for reign in self._still_to_predict()}
        else:
            reigned = set()
        return frozenset(kept | {one for one in self._models() - reigned if self._is_fresh(one)})

    @cached_property
    def snapshots(self) -> frozenset[str]:
        """Snapshots that stay, chunks and all."""
        cards = (self.held.cards[version] for version in self.versions & self.held.cards.keys())
        kept = {card.snapshot for card in cards}
        kept |= {self.held.receipts[key].snapshot for key in self.receipts}
        return frozenset(kept | self._young_snapshots())

    @cached_property
    def published(self) -> frozenset[str]:
        """Digests of the serving records and of the online features that servers are told of."""
        served = self.held.served
        if served is None:
            return frozenset()
        trial = {served.trial.record} if served.trial else set()
        return frozenset({served.record, served.online} | trial)

    @cached_property
    def chunks(self) -> frozenset[str] | None:
        """Digests of the chunks that stay; None when a kept snapshot's manifest was lost."""
        found: set[str] = set()
        for snapshot in self.snapshots:
            manifest = self.held.manifest(snapshot)
            if manifest is None and self.held.rows_erased:
                continue
            if manifest is None:
                return None
            found |= {chunk.sha256 for chunk in manifest.chunks}
        return frozenset(found)

    @cached_property
    def pooled(self) -> frozenset[str]:
        """Pooled models that kept models stand on, ``<zone>/<version>``."""
        cards = (self.held.cards[version] for version in self.versions & self.held.cards.keys())
        parts = (card.pooled for card in cards)
        return frozenset(f"{part.zone}/{part.version}" for part in parts if part)

    def features_last_used(self) -> dict[str, datetime]:
        """Return feature table → when something was last made from it."""
        held = self.held
        users: list[Card | Receipt | Judgement] = [
            *held.cards.values(),
            *held.receipts.values(),
            *held.judgements.values(),
        ]
        used: dict[str, datetime] = {}
        for user in users:
            used[user.features] = max(used.get(user.features, user.as_of), user.as_of)
        return used

    def _unjudged(self, old: dict[str, Receipt]) -> Iterator[str]:
        """Yield the receipts in force that are evidence, and whose window is yet to be judged."""
        if self.spec.state != "active":
            return
        for key, receipt in old.items():
            rivals = [one for one in self.held.receipts.values() if one.window == receipt.window]
            place = judgement(self.held.product, self.held.tenant, receipt.span)
            if not self.held.has(place) and not receipt.in_sample and in_force(rivals) == receipt:
                yield key

    def _last_decided(self) -> set[str]:
        decided = [name for name in self.held.events if name.kind in DECISIONS]
        return {decided[-1].version} if decided else set()

    def _still_to_predict(self) -> Iterator[Reign]:
        """Yield the reigns of windows that have no predictions yet."""
        champion, rules = self.held.champion, self.spec.predict
        known = champion.until(self.as_of) if champion else None
        if known is None:
            return
        done = {receipt.window for receipt in self.held.receipts.values()}
        for window in windows_until(rules.start, rules.window, self.as_of + rules.window):
            if window.id not in done:
                yield known.at(window.start) or known.earliest

    def _models(self) -> set[str]:
        return {one.place.name for one in self.held.of("model")}

    def _is_fresh(self, version: str) -> bool:
        trained = parse_compact(version.split("-", maxsplit=1)[0])
        return is_young(trained, self.rules.models, self.as_of)

    def _young_snapshots(self) -> set[str]:
        last_read: dict[str, datetime] = {}
        for one in self.held.of("origin"):
            read = parse_compact(one.place.part.split("-", maxsplit=1)[0])
            last_read[one.place.name] = max(last_read.get(one.place.name, read), read)
        known = {one.place.name for one in self.held.of("snapshot")}
        undated = known - last_read.keys()
        keep = self.rules.snapshots
        return undated | {
            sha for sha, read in last_read.items() if is_young(read, keep, self.as_of)
        }
