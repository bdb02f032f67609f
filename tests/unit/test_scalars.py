"""One value is read as a column of it is."""

import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tenantry.scalars import FAULTS, Value, microseconds, moment_of, read_value
from tenantry.times import parse_moment
from tenantry.values import Kind, read_values

WORDS = [
    *("", " ", "NA", "null", "nan", "15", " 2.5 ", "1e3", "-.5", "inf", "true", "No", "T", "x"),
    *("2013-10-01", "2013-10-01T06:00:00+02:00", "10:30", "é" * 9, "y" * 1001, "\ud800"),
]
MISREAD = [("time", "-.5"), ("boolean", "\ud800")]
"""What pandas takes for a day of the year 0, and what it cannot hold at all."""

RAW = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(), st.sampled_from(WORDS),
    st.just([1]), st.just({}),
)  # fmt: skip


def in_column(raw: object, kind: Kind) -> tuple[Value, bool]:
    """What the batch reads, and whether it is bad."""
    read = read_values(pd.Series([raw], dtype=object), kind)
    value, bad = read.clean.iloc[0], bool(read.bad[0])
    if pd.isna(value):
        return None, bad
    return (microseconds(value.to_pydatetime()) if kind == "time" else value), bad


@pytest.mark.parametrize("kind", FAULTS)
@given(raw=RAW)
@example(raw=float("nan"))
def test_a_value_is_what_ingest_reads_or_bad_for_both(kind, raw):
    assume((kind, raw) not in MISREAD)
    expected, is_bad = in_column(raw, kind)
    if is_bad:
        with pytest.raises(ValueError, match=f"^{FAULTS[kind]}$"):
            read_value(raw, kind)
    else:
        assert read_value(raw, kind) == expected


@pytest.mark.parametrize("raw", ["1_000", "١٢", "0x10", "1,5", "nan1", [], {}, b"1", True])
def test_what_only_looks_like_a_number_is_bad(raw):
    with pytest.raises(ValueError, match="not a finite number"):
        read_value(raw, "number")


def test_moments_come_back():
    for text in ("1969-12-31T23:59:59.999999Z", "2013-10-01T06:00:00+02:00"):
        moment = parse_moment(text)
        assert moment_of(microseconds(moment)) == moment


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("word", ["1", "true", "2013-10-01", "NA"])
def test_no_text_goes_on_for_ever_whatever_it_is_read_as(kind, word):
    with pytest.raises(ValueError, match=f"^{FAULTS[kind]}$"):
        read_value(word + " " * 1001, kind)
