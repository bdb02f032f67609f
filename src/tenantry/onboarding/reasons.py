"""Why something is proposed."""

from tenantry.records import Record
from tenantry.text import Plain


class Reason(Record):
    """Why a spec says something, or leaves it out.

    Attributes:
        path: The field.
        value: What it says, in words.
        why: The reason.
    """

    path: str
    value: Plain
    why: Plain
