"""Loading: from a tenant's entry in the change index to what answers its requests."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Protocol
from weakref import WeakValueDictionary

from tenantry import layout
from tenantry.champions import Champion, Reign
from tenantry.errors import ModelFileError, ObjectMissingError
from tenantry.packed.columns import Row
from tenantry.packed.file import pooled_part_of, read_model, read_part
from tenantry.packed.load import PACKED
from tenantry.packed.model import PackedModel, Part
from tenantry.served import Role
from tenantry.serving.entries import Entry
from tenantry.serving.records import ServingRecord
from tenantry.serving.shelf import Shelf
from tenantry.times import format_moment

Features = Callable[[Mapping[str, object], datetime], tuple[Row, Row]]
"""From a row of raw fields, and the moment it is asked for, to what own and pooled models read.

Raises `FieldsError`, whose message names fields and never values.
"""

Engine = Literal["packed", "scikit-learn"]

LOG = logging.getLogger(__name__)

_SKOPS = "model.skops"
_MOST_KNOWN = 10_000
"""Columns and features that are kept for later records to share."""
_OVERHEAD = 24_000
"""Bytes of a tenant's objects in Python beside its arrays, measured; see `docs/serving.md`."""


class Scorer(Protocol):
    """What scores one row of features."""

    def predict_row(self, own: Row, pooled: Row) -> float | list[float]:
        """Return the probability, or value; of several classes one probability a class."""
        ...


PreparesFeatures = Callable[[ServingRecord, bytes | None], Features]
"""Makes `Features` of a serving record and the bytes of the tenant's online features."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What answers for one tenant.

    Attributes:
        entry: What it was loaded by.
        record: How it answers.
        features: What makes features of raw fields.
        scorer: The model.
        packed: The same, where it is packed.
        held: The pooled part that it stands on.
        about: Version and `as_of`, as answers tell them.
        size: Bytes of memory, about; the pooled model is not in it, a challenger is.
        role: What it is to the tenant.
        challenger: What is tried beside it; None where nothing is.
    """

    entry: Entry
    record: ServingRecord
    features: Features
    scorer: Scorer
    packed: PackedModel | None
    held: Held | None
    about: Mapping[str, str]
    size: int
    role: Role = "champion"
    challenger: Loaded | None = None

    @property
    def bytes(self) -> int:
        """Bytes of memory as of now, about: one that was explained takes more."""
        both = (self.packed, self.challenger.packed if self.challenger else None)
        return self.size + sum(one.explained_bytes for one in both if one is not None)

    @property
    def engine(self) -> Engine:
        """What scores; a row of ``packed`` takes microseconds."""
        return "scikit-learn" if self.packed is None else "packed"


class Loader:
    """Loads tenants, in several threads at once; pooled models are shared between them."""

    def __init__(self, shelf: Shelf, prepare: PreparesFeatures) -> None:
        self._shelf = shelf
        self._prepare = prepare
        self._pooled: WeakValueDictionary[str, Held] = WeakValueDictionary()
        self._known: dict[Any, Any] = {}
        self._lock = threading.Lock()

    def load(self, product: str, tenant: str, entry: Entry) -> Loaded:
        """Load what an entry says; all digests are checked before anything is opened.

        A challenger that cannot be loaded is not tried, and harms nobody else.

        Raises:
            StoreError: Something is missing, or the store does not answer.
            ModelFileError: A file is not what its digest says, or no model.
            ValueError: The record or the online features are of a form not known here.
        """
        loaded, keys = self._load(product, tenant, entry)
        if entry.trial is not None:
            named = {"version": entry.trial.version, "record": entry.trial.record, "trial": None}
            try:
                other, more = self._load(product, tenant, entry.model_copy(update=named))
            except Exception as error:  # of whatever kind: the champion answers all the same
                told, version = f"{type(error).__name__}: {error}", entry.trial.version
                LOG.error("%s.%s: %s is not tried: %s", product, tenant, version, told)
            else:
                challenger = replace(other, role="challenger")
                size = loaded.size + challenger.size
                loaded = replace(loaded, challenger=challenger, size=size)
                keys += more
        self._shelf.disk.keep_only(product, tenant, keys)
        return loaded

    def load_older(self, product: str, tenant: str, entry: Entry, reign: Reign) -> Loaded:
        """Load a version that reigned before, with what the spec and the past are today.

        Its answers are not logged: nobody relied on them.

        Args:
            product: The product.
            tenant: The tenant.
            entry: What the index says, with this version in the champion's place.
            reign: When it reigned; names the digests of its files.

        Raises:
            As `load` does.
        """
        from tenantry.serving.versions import record_of  # pyarrow: few ask for older versions

        published, content = self._read_record(product, tenant, entry.record)
        record = record_of(self._shelf.store, published, reign).model_copy(update={"log": None})
        return self._open(record, entry, len(content))[0]

    def find_older(self, product: str, tenant: str) -> dict[str, Reign]:
        """Return the versions that reigned and are still there, with their last reigns.

        Raises:
            StoreError: The store does not answer.
            ValueError: The champion's pointer cannot be read.
        """
        key = layout.champion(product, tenant)
        try:
            champion = Champion.from_json(self._shelf.ask(key), key)
        except ObjectMissingError:
            return {}
        whole = (one for one in champion.remaining if not champion.is_marked(one.version))
        return {one.version: one for one in whole}

    def _load(self, product: str, tenant: str, entry: Entry) -> tuple[Loaded, list[str]]:
        """Load one model; return it, and the keys of the objects that are its tenant's."""
        record, content = self._read_record(product, tenant, entry.record)
        if record.version != entry.version:
            key = layout.serving_record(product, tenant, entry.record)
            msg = f"{key}: is the record of another model; the next run publishes anew"
            raise ModelFileError(msg)
        loaded, keys = self._open(record, entry, len(content))
        return loaded, [layout.serving_record(product, tenant, entry.record), *keys]

    def _read_record(self, product: str, tenant: str, sha: str) -> tuple[ServingRecord, bytes]:
        key = layout.serving_record(product, tenant, sha)
        content = self._shelf.get(key, sha)
        record = self._shared(ServingRecord.from_json(content, key))
        if (record.product, record.tenant) != (product, tenant):
            msg = f"{key}: is the record of another tenant; the next run publishes anew"
            raise ModelFileError(msg)
        return record, content

    def _open(self, record: ServingRecord, entry: Entry, content: int) -> tuple[Loaded, list[str]]:
        """Open past and model; return what answers, and the keys of these objects."""
        product, tenant = record.product, record.tenant
        keys: list[str] = []
        online = None
        if entry.online:
            keys.append(layout.online_features(product, tenant, entry.online))
            online = self._shelf.get(keys[-1], entry.online)
        features = self._prepare(record, online)
        model_key, archive = self._archive(record)
        held = packed = None
        scorer: Scorer
        if record.model.packed:
            held = self._held(record.product, archive)
            scorer = packed = read_model(archive, held.part if held else None)
        else:
            scorer = self._fitted(record, archive)
        keys.append(model_key)
        loaded = Loaded(
            entry=entry,
            record=record,
            features=features,
            scorer=scorer,
            packed=packed,
            held=held,
            about={
                "as_of": format_moment(entry.as_of),
                "trained_until": format_moment(record.trained_until),
                "engine": "packed" if packed else "scikit-learn",
            },
            size=len(archive) + content + 2 * len(online or b"") + _OVERHEAD,
        )
        return loaded, keys

    def _shared(self, record: ServingRecord) -> ServingRecord:
        """Return a record that shares what it says of columns and features with the others."""
        known = self._known
        if len(known) > _MOST_KNOWN:
            known.clear()  # who shares what was in it goes on to
        columns = {name: known.setdefault(one, one) for name, one in record.columns.items()}
        features = {name: known.setdefault(one, one) for name, one in record.features.items()}
        return record.model_copy(update={"columns": columns, "features": features})

    def _archive(self, record: ServingRecord) -> tuple[str, bytes]:
        """Return key and content of a model's file: the packed one, where there is one."""
        folder, model = record.model.folder(record.product, record.tenant), record.model
        key = f"{folder}{PACKED}" if model.packed else f"{folder}{_SKOPS}"
        return key, self._shelf.get(key, model.packed or model.skops)

    def _held(self, product: str, archive: bytes) -> Held | None:
        """Return the pooled part of a packed model, from memory where another tenant holds it."""
        part = pooled_part_of(archive)
        if part is None:
            return None
        with self._lock:
            key = f"{layout.pooled_folder(product, part.zone, part.version)}{PACKED}"
            if (held := self._pooled.get(part.digest)) is None:
                held = Held(read_part(self._shelf.get(key, part.digest)))
                self._pooled[part.digest] = held
            else:
                self._shelf.disk.touch(key)  # it stays as long as who stands on it
            return held

    def _fitted(self, record: ServingRecord, archive: bytes) -> Scorer:
        """Open a model that has no packed form; imports scikit-learn."""
        from tenantry.models.archive import unpack
        from tenantry.serving.fitted import FittedScorer

        place, pooled = f"{record.product}/{record.tenant}", None
        if record.pooled is not None:
            key = f"{record.pooled.folder(record.product, record.tenant)}{_SKOPS}"
            digest = record.pooled.skops
            pooled = unpack(self._shelf.get(key, digest), key, digest)["pipeline"]
        content = unpack(archive, place, record.model.skops)
        return FittedScorer(FittedScorer.model_of(content, pooled))


class Held:
    """A pooled part that several tenants hold; gone when the last of them is."""

    __slots__ = ("__weakref__", "part")

    def __init__(self, part: Part) -> None:
        self.part = part
