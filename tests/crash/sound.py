"""Whether each object of a store is whole by itself, and what its name and its record say."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator

import pyarrow.parquet as pq

from tenantry import layout
from tenantry.arrays import open_arrays
from tenantry.champions import Champion
from tenantry.digests import sha256
from tenantry.manifests import Manifest
from tenantry.models.card import Card, PooledCard
from tenantry.models.pooled import PooledPointer
from tenantry.predictions import Receipt
from tenantry.served import ServedReceipt
from tenantry.serving.state import State
from tenantry.store.contract import ObjectStore

_NAMED = re.compile(
    r"/(?:chunks/|segments/|snapshots/)([0-9a-f]{64})(?:/manifest\.json|\.\w+)$"
    r"|/served/[^/]+/[^/]+/([0-9a-f]{64})\.parquet$"
)
"""Keys that hold the digest of their content."""


def find_unsound(store: ObjectStore) -> Iterator[str]:
    """Yield what cannot be decoded, and what is not what its name or its record stands for.

    What a record names and the store lacks is told, too. What a probe of the store left is no data.
    """
    keys = [info.key for info in store.list("")]
    found = {
        key: store.get(key).content for key in keys if not key.startswith(layout.PROBING_FOLDER)
    }
    for key, content in found.items():
        try:
            _decode(key, content)
        except Exception as error:
            yield f"unsound: {key}: {error!r}"
            continue
        name = _NAMED.search(key)
        if name and (name[1] or name[2]) != sha256(content):
            yield f"unsound: {key} is not what its name says"
        for other, digest in _recorded(key, content):
            if other not in found:
                yield f"unsound: {key} names {other}, which is missing"
            elif sha256(found[other]) != digest:
                yield f"unsound: {other} is not what {key} says"


def _decode(key: str, content: bytes) -> None:
    _DECODERS[key.rpartition(".")[2]](content)


def _decode_lines(content: bytes) -> None:
    if content and not content.endswith(b"\n"):
        msg = "the last line has no end"
        raise ValueError(msg)
    for line in content.splitlines():
        json.loads(line)


def _decode_archive(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if damaged := archive.testzip():
            raise ValueError(damaged)


def _decode_page(content: bytes) -> None:
    if not content.rstrip().endswith(b"</html>"):
        msg = "the page has no end"
        raise ValueError(msg)


def _decode_summary(content: bytes) -> None:
    if not content.decode().startswith("# ") or not content.endswith(b"\n"):
        msg = "the summary has no head or no end"
        raise ValueError(msg)


def _decode_arrays(content: bytes) -> None:
    open_arrays(content, content[: content.index(b"\n") + 1])


def _decode_bill(content: bytes) -> None:
    head, *lines = csv.reader(content.decode().splitlines())
    if not content.endswith(b"\n") or any(len(line) != len(head) for line in lines):
        msg = "the bill has no end"
        raise ValueError(msg)


def _decode_metrics(content: bytes) -> None:
    if not content.endswith(b"# EOF\n"):
        msg = "the figures have no end"
        raise ValueError(msg)


_DECODERS: dict[str, Callable[[bytes], object]] = {
    "json": json.loads,
    "jsonl": _decode_lines,
    "parquet": lambda content: pq.read_table(io.BytesIO(content)),
    "skops": _decode_archive,
    "html": _decode_page,
    "md": _decode_summary,
    "txt": _decode_metrics,
    "bin": _decode_arrays,
    "online": State.from_bytes,
    "csv": _decode_bill,
}


def _receipt(key: str, content: bytes) -> Iterator[tuple[str, str]]:
    for file in Receipt.from_json(content, key).files:
        yield file.key, file.sha256


def _answers(key: str, content: bytes) -> Iterator[tuple[str, str]]:
    file = ServedReceipt.from_json(content, key).file
    yield file.key, file.sha256


def _manifest(key: str, content: bytes) -> Iterator[tuple[str, str]]:
    _, product, tenant, *_ = key.split("/")
    for chunk in Manifest.from_json(content, key).chunks:
        yield layout.chunk(product, tenant, chunk.sha256), chunk.sha256


def _card(key: str, content: bytes) -> Iterator[tuple[str, str]]:
    yield key.replace("card.json", "model.skops"), Card.from_json(content, key).file_digest


def _pooled_card(key: str, content: bytes) -> Iterator[tuple[str, str]]:
    card = PooledCard.from_json(content, key)
    yield key.replace("card.json", "model.skops"), card.file_digest
    for cut, digest in card.folds.items():
        yield key.replace("card.json", f"fold-{cut}.skops"), digest


def _champion(key: str, content: bytes) -> Iterator[tuple[str, str]]:
    for reign in Champion.from_json(content, key).reigns:
        model = f"models/{reign.version}/model.skops"
        yield key.replace("champion.json", model), reign.digest
        if reign.packed:
            yield key.replace("champion.json", f"models/{reign.version}/packed.bin"), reign.packed


def _pooled(key: str, content: bytes) -> Iterator[tuple[str, str]]:
    for reign in PooledPointer.from_json(content, key).reigns:
        yield key.replace("pooled.json", f"{reign.version}/model.skops"), reign.digest
        if reign.packed:
            yield key.replace("pooled.json", f"{reign.version}/packed.bin"), reign.packed


_RECORDS = {
    re.compile(r"tenants/.*/receipt\.json"): _receipt,
    re.compile(r"tenants/.*/served/.*\.json"): _answers,
    re.compile(r"tenants/.*/manifest\.json"): _manifest,
    re.compile(r"tenants/.*/card\.json"): _card,
    re.compile(r"tenants/.*/champion\.json"): _champion,
    re.compile(r"products/.*/card\.json"): _pooled_card,
    re.compile(r"products/.*/pooled\.json"): _pooled,
}


def _recorded(key: str, content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the other objects that a record names, and the digests it says they have."""
    for pattern, read in _RECORDS.items():
        if pattern.fullmatch(key):
            yield from read(key, content)
