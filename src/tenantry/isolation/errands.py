"""What a worker cannot be trusted to do by itself: the shard does it, and looks at what it is.

- **Events.** No policy of a bucket tells adding an object from replacing one. So a worker's
  credentials write no events; the shard puts them, where nothing is yet, if the stage can have
  decided so.
- **Listings.** They are allowed by the prefix that is asked for, and MinIO reads that from a header
  of the request as well, which anybody can send (tried with its release of February 2026). So a
  worker's credentials list nothing; the shard does.

A worker sends one message and waits for one answer; neither is ever unpickled.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

from tenantry import layout
from tenantry.errors import (
    PreconditionError,
    StoreDeniedError,
    StoreError,
    StoreUnavailableError,
)
from tenantry.events import Event
from tenantry.isolation.grants import Grant
from tenantry.isolation.trails import Trail
from tenantry.store.contract import ObjectInfo, ObjectStore, check_prefix

ERRAND = b"errand "
"""What a message begins with that is no outcome."""

_ERRORS: dict[str, type[StoreError]] = {
    kind.__name__: kind
    for kind in (PreconditionError, StoreDeniedError, StoreUnavailableError, StoreError)
}


@dataclass
class Errands:
    """The worker's end.

    Attributes:
        pipe: To the shard.
        is_waiting: Whether the last answer was not heard: it would meet the next tenant.
    """

    pipe: Connection
    is_waiting: bool = False

    def add(self, key: str, content: bytes) -> str:
        """Have an event written that must not exist yet; return its tag.

        Raises:
            PreconditionError: It exists.
            StoreDeniedError: It is no event of this tenant.
        """
        return str(self._send("add", key, content.decode()))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with `prefix`, by key."""
        for key, size, tag, modified in self._send("list", prefix):
            yield ObjectInfo(key, size, tag, datetime.fromisoformat(modified))

    def list_folders(self, prefix: str) -> Iterator[str]:
        """Yield the names of the folders directly below `prefix`, by name."""
        yield from self._send("list_folders", prefix)

    def _send(self, *errand: str) -> Any:  # noqa: ANN401 - what JSON holds
        message = ERRAND + json.dumps(errand).encode()
        self.is_waiting = True
        self.pipe.send_bytes(message)
        answer = json.loads(self.pipe.recv_bytes())
        self.is_waiting = False
        if "error" in answer:
            raise _ERRORS[answer["error"]](answer["message"])
        return answer["done"]


@dataclass(frozen=True)
class Runner:
    """The shard's end, for one tenant's worker.

    Attributes:
        store: The store, with the run's credentials.
        grant: What the worker may do.
        trail: What may be written into whose trail.
    """

    store: ObjectStore
    grant: Grant
    trail: Trail

    def answer(self, message: bytes) -> bytes:
        """Do what a worker asks for, if it may ask for it; return what to tell it.

        Args:
            message: What it sent; not to be believed.
        """
        try:
            name, *arguments = _read(message)
            done = self._commands[name](*arguments)
        except StoreError as error:
            kind = next(kind for kind in _ERRORS.values() if isinstance(error, kind))
            return json.dumps({"error": kind.__name__, "message": str(error)}).encode()
        except (KeyError, RecursionError, TypeError, ValueError):
            return json.dumps({"error": "StoreDeniedError", "message": "is no errand"}).encode()
        return json.dumps({"done": done}).encode()

    @property
    def _commands(self) -> dict[str, Callable[..., object]]:
        return {"add": self._add, "list": self._list, "list_folders": self._list_folders}

    def _add(self, name: str, content: str) -> str:
        event = Event.from_json(content.encode(), "event")
        key = layout.event(self.trail.product, self.trail.tenant, event.name)
        if name == key and not self.trail.may_end_with(event) and self.store.find(key):
            raise PreconditionError(f"{self.store.url}/{key}: is there already")  # another run's
        if name != key or not self.trail.may_end_with(event):
            raise StoreDeniedError(f"{self.store.url}: is no event of {self.trail.tenant}'s now")
        return self.store.put_if_absent(key, content.encode())

    def _list(self, prefix: str) -> list[tuple[str, int, str, str]]:
        return [
            (one.key, one.size, one.tag, one.modified.isoformat())
            for one in self.store.list(self._listed(prefix))
        ]

    def _list_folders(self, prefix: str) -> list[str]:
        return list(self.store.list_folders(self._listed(prefix)))

    def _listed(self, prefix: str) -> str:
        if not self.grant.allows_read(check_prefix(prefix)):
            raise StoreDeniedError(
                f"{self.store.url}/{prefix}: is not {self.trail.tenant}'s to list"
            )
        return prefix


def _read(message: bytes) -> list[str]:
    """Read what a worker asks for.

    Raises:
        TypeError: It is not texts.
        ValueError: It is no JSON.
        RecursionError: It is no JSON that anybody writes.
    """
    errand = json.loads(message.removeprefix(ERRAND))
    if not isinstance(errand, list) or not all(isinstance(part, str) for part in errand):
        raise TypeError
    return errand
