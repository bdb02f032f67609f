"""Looking for planted values in everything that a store holds, whatever form it has there."""

import base64
import gzip
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress

import pandas as pd
import pyarrow.parquet as pq
from minio import Minio

from tenantry.store.folder import FolderStore
from tenantry.store.minio import MinioStore

_PACKED = {b"\x1f\x8b": gzip.decompress, b"\x78\x9c": zlib.decompress}
"""How what begins so is unpacked."""

_ENCODED = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")


def all_objects(store) -> Iterator[tuple[str, bytes]]:
    """Yield every object, of a bucket every version, and what lies outside any key of a folder."""
    if isinstance(store, FolderStore):
        root = store._root
        for path in sorted(root.rglob("*")):
            if path.is_file():
                yield str(path.relative_to(root)), path.read_bytes()
        return
    client, bucket = raw_client(store)
    for found in client.list_objects(bucket, recursive=True, include_version=True):
        place = f"{found.object_name}@{found.version_id}"
        if found.is_delete_marker:
            yield place, b""
            continue
        answer = client.get_object(bucket, found.object_name, version_id=found.version_id)
        yield place, answer.read()
        answer.close()


def raw_client(store: MinioStore) -> tuple[Minio, str]:
    address = store._address
    client = Minio(address.endpoint, address.access_key, address.secret_key, secure=False)
    return client, address.bucket


def forms(content: bytes) -> Iterator[bytes]:
    """Yield a content, and all that it holds in other forms: archives, columns, encoded arrays."""
    yield content
    unpack = _PACKED.get(content[:2])
    if unpack:
        yield from forms(unpack(content))
    elif content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield from forms(archive.read(name))
    elif content[:4] == b"PAR1":
        table = pq.read_table(io.BytesIO(content))
        yield repr(table.schema.metadata).encode()
        for name in table.column_names:
            yield "\n".join(map(str, table[name].to_pylist())).encode()
    elif content.lstrip()[:1] == b"<":
        for found in _ENCODED.findall(content):
            with suppress(ValueError):
                yield base64.b64decode(found.rstrip(b"=") + b"===")


def spellings(canary: str | float) -> list[bytes]:
    """Return how a value may stand in bytes."""
    if isinstance(canary, str):
        return [canary.encode(kind) for kind in ("utf-8", "utf-16-le", "utf-32-le")]
    return [repr(canary).encode(), struct.pack("<d", canary), struct.pack(">d", canary)]


def find_canaries(store, *canaries: str | float) -> dict[str, set[str]]:
    """Return where each planted value is found: value → keys of objects."""
    wanted = {str(canary): spellings(canary) for canary in canaries}
    found: dict[str, set[str]] = {name: set() for name in wanted}
    for place, content in all_objects(store):
        parts = [place.encode(), *forms(content)]
        for name, patterns in wanted.items():
            if any(pattern in part for part in parts for pattern in patterns):
                found[name].add(place)
    return found


def plant(flights: pd.DataFrame, carrier: str, *, rows=30, **values) -> pd.DataFrame:
    """Give every `n`th flight of a carrier these values, so that all times have some."""
    own = flights.index[flights["carrier"] == carrier]
    chosen = own[:: max(len(own) // rows, 1)]
    for name, value in values.items():
        flights[name] = flights[name].astype(object if isinstance(value, str) else float)
        flights.loc[chosen, name] = value
    return flights
