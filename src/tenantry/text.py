"""What counts as plain text, and how other text is shown."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator

_UNSEEN = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn the direction of what follows, so that a line reads other than it is."""


def is_text(text: str) -> bool:
    """Return whether people and terminals can be shown `text` as it is; new lines are allowed."""
    return _is_ascii(text) or not any(map(_is_unshown, text))


def plain(text: str) -> str:
    r"""Return `text` with escapes, such as `\x1b`, for all that commands terminals or misleads."""
    if is_text(text):
        return text
    return "".join(ascii(one)[1:-1] if _is_unshown(one) else one for one in text)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 window``, ``2,000 windows``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


Plain = Annotated[str, AfterValidator(plain)]
"""Text in a record that people are shown, wherever it came from."""


def _is_ascii(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _is_unshown(character: str) -> bool:
    category = unicodedata.category(character)
    return character in _UNSEEN or (category in ("Cc", "Cs", "Zl", "Zp") and character != "\n")
