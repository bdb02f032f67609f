"""A bucket of MinIO, or of any store that speaks S3 and honours conditional writes.

Conditions travel as signed headers (`If-None-Match`, `If-Match`), so a proxy that strips them
makes the request fail instead of making it unconditional. The client has no public method that
sends them: requests about single objects are made in `tenantry.store.s3_requests`.
"""

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from tenantry.digests import sha256
from tenantry.errors import ObjectMissingError, PreconditionError
from tenantry.isolation.grants import Grant
from tenantry.store.contract import (
    ObjectInfo,
    StoredObject,
    check_folder,
    check_key,
    check_place,
    check_prefix,
)
from tenantry.store.purged import Purged, purge_all
from tenantry.store.s3_client import BucketAddress
from tenantry.store.s3_errors import FAILURES, RefusalError, translate
from tenantry.store.s3_listing import Page, list_page
from tenantry.store.s3_requests import ObjectRequests
from tenantry.store.s3_transport import Answer, NoAnswerError
from tenantry.store.sts import Sessions, StsAddress

_T = TypeVar("_T")
_DIGEST = "x-amz-meta-sha256"
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class _Made:
    """What a process has made for itself: connections must not be shared across a fork.

    Attributes:
        pid: The process.
        requests: Sends requests about objects.
        sessions: Asks for sessions, where somebody gives them.
    """

    pid: int
    requests: ObjectRequests
    sessions: Sessions | None


class MinioStore:
    """Keys are object names below the prefix; a tag is the ETag.

    Keeps the contract of `ObjectStore`. Every request is repeated after a transient failure; a
    conditional write too, and its answer then is what became of the object, see `ObjectStore`.
    Each process makes its own client, so a store can be pickled, and used after a fork.

    Args:
        address: Where the bucket is.
        waits: Seconds before each repetition; a random half of each is left out, so that many
            workers do not return at once.
        read_timeout: Seconds of silence after which a request has failed.
        sts: Where credentials for a part of the store are asked for; None where nobody is to ask.
    """

    def __init__(
        self,
        address: BucketAddress,
        *,
        waits: Sequence[float] = (0.2, 0.8, 3.2),
        read_timeout: float = 60.0,
        sts: StsAddress | None = None,
    ) -> None:
        self._address = address
        self._sts = sts
        self._waits = tuple(waits)
        self._read_timeout = read_timeout
        self._made: _Made | None = None

    def __repr__(self) -> str:
        return f"MinioStore({self.url!r})"

    def __getstate__(self) -> dict[str, object]:
        return {**vars(self), "_made": None}

    @property
    def url(self) -> str:
        """The bucket's address, without credentials."""
        return self._address.url

    @property
    def gives_sessions(self) -> bool:
        """Whether `limited` gives credentials of their own."""
        return self._sts is not None

    @property
    def is_session(self) -> bool:
        """Whether its own credentials are temporary, and so ask for no others."""
        return bool(self._address.session_token)

    def limited(self, grant: Grant, *, seconds: float = 0.0) -> "MinioStore":
        """Return the store with temporary credentials that reach only what a grant allows.

        Args:
            grant: What may be done.
            seconds: How long that is needed.

        Raises:
            StoreError: The store gives no such credentials.
        """
        if not (sessions := self._own.sessions):
            return self
        address = sessions.assume(grant, seconds=seconds)
        return MinioStore(address, waits=self._waits, read_timeout=self._read_timeout)

    def impatient(self) -> "MinioStore":
        """Return the store for who would rather fail in seconds than wait for it."""
        return MinioStore(self._address, waits=(0.1,), read_timeout=5.0, sts=self._sts)

    def identify(self) -> str:
        """Tell the endpoint, the server's name for itself and, of MinIO, the node's identity."""
        headers = self._attempt("", lambda _: self._headers())
        server = headers.get("server", "unnamed")
        node = headers.get("x-amz-id-2", "") if server == "MinIO" else ""  # others: a new one each
        return " ".join(part for part in (self._address.endpoint, server, node) if part)

    def get(self, key: str) -> StoredObject:
        """Read an object; a body that is cut or damaged on the way is asked for again.

        Raises:
            ObjectMissingError: Nothing has that key.
        """
        name = self._name(key)
        return self._attempt(key, lambda _: self._get(name))

    def find(self, key: str) -> ObjectInfo | None:
        """Return what is known of an object, or None when nothing has that key."""
        name = self._name(key)
        try:
            return self._attempt(key, lambda _: _told(key, self._own.requests.send("HEAD", name)))
        except ObjectMissingError:
            return None

    def put(self, key: str, content: bytes) -> str:
        """Write an object whatever was there; return its tag."""
        return self._write(key, content, {})

    def put_if_absent(self, key: str, content: bytes) -> str:
        """Write an object that must not exist yet; return its tag.

        Raises:
            PreconditionError: The key exists.
        """
        return self._write(key, content, {"If-None-Match": "*"})

    def put_if_match(self, key: str, content: bytes, tag: str) -> str:
        """Replace an object that must still have `tag`; return the new tag.

        Raises:
            PreconditionError: The object has another tag or is gone.
        """
        return self._write(key, content, {"If-Match": f'"{tag}"'})

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with `prefix`, by key."""
        pages = self._pages(check_prefix(prefix), "")
        return (found for page in pages for found in page.objects)

    def list_folders(self, prefix: str) -> Iterator[str]:
        """Yield the names of the folders directly below `prefix`, by name."""
        pages = self._pages(check_folder(prefix), "/")
        yield from sorted({name[len(prefix) : -1] for page in pages for name in page.folders})

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when there is none."""
        name = self._name(key)
        self._attempt(key, lambda _: self._own.requests.send("DELETE", name))

    def purge(self, place: str, *, keep_latest: bool = False) -> Purged:
        """Remove an object or all of a folder, with every version and delete marker."""
        from tenantry.store.s3_versions import Versions  # with it comes all of minio-py

        versions, prefix = Versions(self._address, self._read_timeout), self._address.prefix
        name = prefix + check_place(place)

        def remove_found() -> Purged:
            found = versions.find(name, keep_latest=keep_latest)
            versions.remove(found)
            keys = {str(version.object_name).removeprefix(prefix) for version in found}
            size = sum(version.size or 0 for version in found)
            return Purged(tuple(sorted(keys)), len(found), size)

        return purge_all(lambda: self._attempt(place, lambda _: remove_found()), name)

    @property
    def _own(self) -> _Made:
        """What this process has made for itself."""
        if self._made is None or self._made.pid != os.getpid():
            self._made = _Made(
                os.getpid(),
                ObjectRequests(self._address, read_timeout=self._read_timeout),
                Sessions(self._address, self._sts) if self._sts else None,
            )
        return self._made

    def _name(self, key: str) -> str:
        return self._address.prefix + check_key(key)

    def _headers(self) -> Mapping[str, str]:
        """Return the headers of an answer; of one that says "no such object", usually."""
        name = f"{self._address.prefix}store"  # a folder, if anything
        try:
            return self._own.requests.send("HEAD", name).headers
        except RefusalError as error:
            if error.code != "NoSuchKey" and (error.code or error.status != 404):
                raise
            return error.headers

    def _get(self, name: str) -> StoredObject:
        answer = self._own.requests.send("GET", name)
        content, headers = answer.data, answer.headers
        if headers.get(_DIGEST, digest := sha256(content)) != digest:
            msg = "the content is not what was written"
            raise NoAnswerError(msg)
        return StoredObject(content, _tag_of(answer))

    def _write(self, key: str, content: bytes, condition: dict[str, str]) -> str:
        name = self._name(key)
        headers = {
            "Content-Type": "application/octet-stream",
            _DIGEST: sha256(content),
            **self._address.encryption_headers,
            **condition,
        }

        def send(tries: int) -> str:
            try:
                return self._put(name, content, headers, is_second=tries > 0)
            except RefusalError as error:
                if error.code == "AccessDenied":  # MinIO says so of a key that is being purged
                    return self._put(name, content, headers, is_second=tries > 0)
                raise

        try:
            return self._attempt(key, send)
        except ObjectMissingError as error:
            raise PreconditionError(str(error)) from error

    def _put(self, name: str, content: bytes, headers: dict[str, str], *, is_second: bool) -> str:
        """Write once; a condition that fails may do so because the first try has written."""
        try:
            written = self._own.requests.send(
                "PUT", name, content, sha256=headers[_DIGEST], headers=headers
            )
        except RefusalError as error:
            is_second = is_second or error.may_be_second
            if is_second and error.code == "PreconditionFailed":
                found = self._get(name)
                if found.content == content:
                    return found.tag
            raise
        return _tag_of(written)

    def _pages(self, start: str, delimiter: str) -> Iterator[Page]:
        page = self._page(start, delimiter, "")
        yield page
        while page.token:
            page = self._page(start, delimiter, page.token)
            yield page

    def _page(self, start: str, delimiter: str, token: str) -> Page:
        requests, prefix = self._own.requests, self._address.prefix
        return self._attempt(
            start,
            lambda _: list_page(requests, prefix, start, delimiter=delimiter, token=token),
        )

    def _attempt(self, key: str, action: Callable[[int], _T]) -> _T:
        """Call `action` with the number of failed tries, until it succeeds or has failed."""
        tries = 0
        while True:
            try:
                return action(tries)
            except FAILURES as error:
                self._pause(key, error, tries)
                tries += 1

    def _pause(self, key: str, error: Exception, tries: int) -> None:
        """Wait before another try, or raise what the error means."""
        fault = translate(error, f"{self.url}/{key}")
        if not fault.transient or tries >= len(self._waits):
            raise fault from error
        time.sleep(self._waits[tries] * random.uniform(0.5, 1.0))  # noqa: S311 - no secret


def _tag_of(answer: Answer) -> str:
    tag = answer.headers.get("etag", "").strip('"')
    if not tag:
        msg = "the answer has no ETag"
        raise NoAnswerError(msg)
    return tag


def _told(key: str, answer: Answer) -> ObjectInfo:
    """Return what the headers of an answer tell of an object."""
    told, modified = answer.headers, answer.headers.get("last-modified")
    try:
        when = parsedate_to_datetime(modified).astimezone(UTC) if modified else _EPOCH
    except (OverflowError, ValueError):
        msg = "the answer has no proper Last-Modified"
        raise NoAnswerError(msg) from None
    size = int(told.get("content-length", 0))  # which libcurl has looked at
    return ObjectInfo(key=key, size=size, tag=_tag_of(answer), modified=when)
