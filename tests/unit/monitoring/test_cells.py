import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.monitoring.cells import CATEGORIES, TENTHS, count_cells, fit_cells, read_column

NUMBERS = pd.Series(np.arange(1000.0))
ORIGINS = pd.Series(["EWR"] * 50 + ["JFK"] * 30 + [None] * 20, dtype="str")
VALUES = st.one_of(st.floats(), st.integers(-3, 3).map(float))


def counted(past, now):
    cells = fit_cells(read_column(past))
    place = cells.place(read_column(now))
    window = np.zeros(len(place), dtype=np.intp)
    return count_cells(place, window, cells=cells.number, windows=1)[0].tolist()


def test_numbers_fall_into_tenths_of_the_past():
    assert counted(NUMBERS, NUMBERS) == [100.0] * TENTHS + [0, 0]


def test_numbers_far_outside_the_past_are_new_and_missing_ones_missing():
    now = pd.Series([-200.0, 1200.0, np.inf, -np.inf, np.nan, 0.0])
    assert counted(NUMBERS, now)[-2:] == [4, 1]


def test_a_record_is_no_news():
    counts = counted(NUMBERS, pd.Series([-1.0, 1000.0, 1050.0]))
    assert (counts[0], counts[TENTHS - 1], counts[-2]) == (1, 2, 0)


def test_a_constant_has_one_cell():
    assert counted(pd.Series([7.0] * 9), pd.Series([7.0, 6.0, 8.0])) == [1, 2, 0]


def test_categories_have_cells_and_what_is_unseen_is_new():
    assert counted(ORIGINS, pd.Series(["EWR", "LGA", None, "JFK"], dtype="str")) == [1, 1, 1, 1]


def test_rare_categories_share_a_cell():
    many = pd.Series([f"d{n:02}" for n in range(30) for _ in range(31 - n)], dtype="str")
    counts = counted(many, many)
    assert len(counts) == CATEGORIES + 3
    assert counts[CATEGORIES:] == [sum(31 - n for n in range(CATEGORIES, 30)), 0, 0]


@pytest.mark.parametrize(("past", "now"), [(NUMBERS, ORIGINS), (ORIGINS, NUMBERS)])
def test_values_of_another_type_are_new(past, now):
    *known, new, missing = counted(past, now)
    assert (sum(known), new, missing) == (0, now.notna().sum(), now.isna().sum())


@given(st.lists(VALUES, max_size=50), st.lists(VALUES, max_size=50))
def test_every_number_has_one_cell(past, now):
    assert sum(counted(pd.Series(past, dtype=float), pd.Series(now, dtype=float))) == len(now)
