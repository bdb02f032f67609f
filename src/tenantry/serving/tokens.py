"""Who may ask: bearer tokens by their hashes, from a mounted file that may change at any time.

The file has a line a token: the SHA-256 of the token in hexadecimal digits, and what it opens:
``<product>.<tenant>`` one tenant, ``<product>`` all of a product, ``metrics`` the metrics, ``*``
everything. Several lines may open the same, so that tokens can be replaced one by one. Tokens are
random, so a plain hash tells nothing of them.
"""

import hashlib
import logging
import re
from collections import defaultdict
from collections.abc import Mapping
from hmac import compare_digest
from pathlib import Path

from tenantry.errors import Fault, SettingsError
from tenantry.serving.bodies import Headers, find_header

LOG = logging.getLogger(__name__)

METRICS, EVERYTHING = "metrics", "*"
_LINE = re.compile(r"([0-9a-f]{64})\s+(\*|[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})?)")
_BEARER = b"bearer "
_MOST_CACHED = 4096

Hashes = tuple[bytes, ...]


def parse_tokens(text: str) -> dict[str, Hashes]:
    """Read a file of tokens; empty lines and those that start with ``#`` say nothing.

    Returns:
        What is opened → the SHA-256 of the tokens that open it.

    Raises:
        SettingsError: Lines that are something else, by number, or no token at all.
    """
    found: dict[str, list[bytes]] = defaultdict(list)
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if matched := _LINE.fullmatch(stripped):
            found[matched[2]].append(bytes.fromhex(matched[1]))
        else:
            fault = "is not 64 hexadecimal digits and a product, product.tenant, metrics or *"
            faults.append(Fault(f"tokens: line {number}", fault))
    if not found and not faults:
        faults.append(Fault("tokens", "holds no token", "write a line: <sha256> <product>"))
    if faults:
        raise SettingsError(faults)
    return {scope: tuple(hashes) for scope, hashes in found.items()}


class Tokens:
    """The tokens in force.

    A presented token is compared with every hash that may open what is asked for, each in constant
    time; which ones those are depends on the request only, not on what exists.
    """

    def __init__(self, scopes: Mapping[str, Hashes]) -> None:
        self._scopes = scopes
        self._opens: dict[str, Hashes] = {}

    def replace(self, scopes: Mapping[str, Hashes]) -> None:
        """Let other tokens be in force, from the next request on."""
        self._scopes, self._opens = scopes, {}

    def may(self, headers: Headers, wanted: str) -> bool:
        """Say whether a request may have what it wants.

        Args:
            headers: The request's.
            wanted: ``<product>.<tenant>``, or `METRICS`.
        """
        presented = hashlib.sha256(_presented(headers)).digest()
        is_open = False
        for one in self._hashes(wanted):
            is_open |= compare_digest(one, presented)
        return is_open

    def _hashes(self, wanted: str) -> Hashes:
        """Return what opens `wanted`; names come from clients, so few are remembered."""
        if (found := self._opens.get(wanted)) is None:
            product = wanted.partition(".")[0]
            scopes = dict.fromkeys((wanted, product if product != METRICS else wanted, EVERYTHING))
            found = tuple(one for scope in scopes for one in self._scopes.get(scope, ()))
            if len(self._opens) >= _MOST_CACHED:
                self._opens.clear()
            self._opens[wanted] = found
        return found


class TokenFile:
    """The file of tokens, read again when it changes, as a mounted Secret does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = b""
        self._is_missing = False
        self.faults = 0

    def load(self) -> Tokens:
        """Read the file.

        Raises:
            SettingsError: It cannot be read, or holds something else.
        """
        try:
            self._content = self._path.read_bytes()
            return Tokens(parse_tokens(self._content.decode()))
        except (OSError, UnicodeDecodeError) as error:
            fault = f"cannot be read ({type(error).__name__})"
            raise SettingsError([Fault(str(self._path), fault)]) from None

    def follow(self, tokens: Tokens) -> bool:
        """Put other tokens in force where the file has changed; say whether.

        One that cannot be used changes nothing, and is told in the log once.
        """
        was_missing, self._is_missing = self._is_missing, False
        try:
            content = self._path.read_bytes()
            if content == self._content:
                return False
            self._content = content
            tokens.replace(parse_tokens(content.decode()))
        except (OSError, UnicodeDecodeError, SettingsError) as error:
            self._is_missing = isinstance(error, OSError)
            self.faults += 1
            if not (was_missing and self._is_missing):
                LOG.error("the tokens stay as they were: %s", error)  # names lines, never hashes
            return False
        LOG.info("other tokens are in force")
        return True


def _presented(headers: Headers) -> bytes:
    """Return the token that a request presents; empty without one."""
    value = find_header(headers, b"authorization") or b""
    return value[len(_BEARER) :].strip() if value[: len(_BEARER)].lower() == _BEARER else b""
