"""Listings of a bucket (ListObjectsV2), a page at a time.

minio-py's reading of an answer takes seven times the CPU time: it looks for all that an object may
have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote_plus
from xml.etree.ElementTree import Element, fromstring

from tenantry.store.contract import ObjectInfo
from tenantry.store.s3_requests import ObjectRequests
from tenantry.store.s3_transport import NoAnswerError


@dataclass(frozen=True)
class Page:
    """A page of a listing.

    Attributes:
        objects: By name.
        folders: What holds more, where a delimiter was asked for; each ends in it.
        token: Asks for the next page; empty on the last.
    """

    objects: Sequence[ObjectInfo]
    folders: Sequence[str]
    token: str


def list_page(
    requests: ObjectRequests, prefix: str, start: str, *, delimiter: str = "", token: str = ""
) -> Page:
    """Ask for a page of what a bucket holds.

    Args:
        requests: Asks.
        prefix: The store's part of the bucket: what all names start with, and keys lack.
        start: How keys start.
        delimiter: Keys that hold it behind their start are told together.
        token: Of the page before.

    Raises:
        RefusalError: The server refused.
        NoAnswerError: No proper answer came.
        ParseError: It was cut short.
    """
    query = {
        "list-type": "2",
        "delimiter": delimiter,
        "encoding-type": "url",
        "max-keys": "1000",
        "prefix": prefix + start,
    }
    if token:
        query["continuation-token"] = token
    answer = requests.ask(query)
    try:
        return _read_page(fromstring(answer.data), len(prefix))  # noqa: S314 - as minio-py does
    except (LookupError, OverflowError, ValueError):  # a text, a number or a time that is none
        msg = "the answer is no listing"
        raise NoAnswerError(msg) from None


def _read_page(root: Element, skip: int) -> Page:
    space = root.tag.removesuffix("ListBucketResult")  # what tags start with
    decode = unquote_plus if root.findtext(f"{space}EncodingType") == "url" else str
    token = root.findtext(f"{space}NextContinuationToken", "")
    is_last = root.findtext(f"{space}IsTruncated", "").lower() != "true"
    if space == root.tag or not (is_last or token):
        raise ValueError
    return Page(
        [
            ObjectInfo(
                key=decode(_text(one, f"{space}Key"))[skip:],
                size=int(_text(one, f"{space}Size")),
                tag=_text(one, f"{space}ETag").replace('"', ""),
                modified=datetime.fromisoformat(_text(one, f"{space}LastModified")).astimezone(UTC),
            )
            for one in root.iterfind(f"{space}Contents")
        ],
        [
            decode(_text(one, f"{space}Prefix"))[skip:]
            for one in root.iterfind(f"{space}CommonPrefixes")
        ],
        "" if is_last else token,
    )


def _text(element: Element, tag: str) -> str:
    text = element.findtext(tag)
    if text is None:
        raise ValueError
    return text
