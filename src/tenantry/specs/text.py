"""What counts as plain text."""

import unicodedata

_UNSEEN = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn the direction of what follows, so that a line reads other than it is."""


def is_text(text: str) -> bool:
    """Return whether people and terminals can be shown `text` as it is; new lines are allowed."""
    if text.isascii() and text.isprintable():
        return True
    return not any(
        character in _UNSEEN
        or (unicodedata.category(character) in ("Cc", "Cs") and character != "\n")
        for character in text
    )
