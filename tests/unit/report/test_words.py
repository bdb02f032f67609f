import pytest

from tenantry.report.words import short


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1000, "1.0k"), (3250, "3.2k"), (9949, "9.9k"), (9951, "10k")],
)
def test_counts_are_short(number, text):
    assert short(number) == text
