from collections.abc import Sequence

import pytest

from tenantry.specs.model import Spec
from tenantry.specs.paths import dotted, find_fields, leaves, nearest, shown


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (("gate", "min_rows"), "gate.min_rows"),
        (("sources", "rows", 0, "path"), "sources.rows[0].path"),
        (("features", "a.b\x1b[1m"), "features.'a.b\\x1b[1m'"),
        (("features", "é"), "features.'\\xe9'"),
        ((), ""),
    ],
)
def test_dotted(location: Sequence[str | int], path: str) -> None:
    assert dotted(location) == path


def test_nearest() -> None:
    assert nearest("min_row", ["min_rows", "min_days"]) == "min_rows"
    assert nearest("zzz", ["min_rows"]) is None


def test_leaves() -> None:
    patch = {"a": {"b": 1, "c": {}}, "d": None, "e": [{"f": 1}]}
    assert list(leaves(patch)) == [("a", "b"), ("a", "c"), ("d",), ("e",)]


@pytest.mark.parametrize(
    ("location", "names", "free"),
    [
        (("gate",), "holdout min_rows", False),
        (("gate", "min_rows"), "", False),
        (("features",), "", True),
        (("features", "any"), "title unit kind column", False),
        (("sources", "joins", 3), "name connection kind", False),
        (("sources", "joins", 3, "on"), "", True),
        (("sources", "joins", 3, "as_of"), "column tolerance", False),
        (("model", "candidates"), "", True),
        (("model", "candidates", "any"), "", True),
    ],
)
def test_what_may_stand_where(location: Sequence[str | int], names: str, free: bool) -> None:
    fields = find_fields(Spec, location)
    assert fields is not None
    assert " ".join(fields.names).startswith(names)
    assert bool(fields.names) == bool(names)
    assert fields.free == free


@pytest.mark.parametrize(
    "location", [("gat",), ("gate", "x"), ("gate", "min_rows", "x"), ("gate", 0), ("gat", "x", "y")]
)
def test_where_nothing_may_stand(location: Sequence[str | int]) -> None:
    assert find_fields(Spec, location) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [("ua.yaml", "ua.yaml"), ("é.yaml", "é.yaml"), ("\x1b[1m\udc80", "\\x1b[1m\\udc80")],
)
def test_shown(name: str, text: str) -> None:
    assert shown(name) == text
