"""Of the segments found few are chance, whatever days have in common."""

import numpy as np
import pandas as pd

from tenantry.insights.segments import FALSE_SHARE, find_segments
from tests.unit.insights.told import make_rows, spec_of


def test_where_nothing_differs_little_is_found():
    """Where no segment differs, whatever is found is false: in a tenth of the tenants, at most."""
    spec, tenants = spec_of(), 80
    found = 0
    for seed in range(tenants):
        rows = make_rows(seed, days=35, each_day=40, effect=0.0)
        found += bool(find_segments(rows, spec).found)
    assert found / tenants <= FALSE_SHARE + 3 * np.sqrt(FALSE_SHARE * (1 - FALSE_SHARE) / tenants)


def test_nothing_is_found_where_outcomes_are_rare_and_segments_small():
    """Of 5 % over thirty routes some see none: that alone is no finding."""
    spec, tenants, found = spec_of(), 40, 0
    for seed in range(tenants):
        rng = np.random.default_rng(seed)
        rows = make_rows(seed, days=35, each_day=40)
        dest = rng.choice(30, len(rows), p=rng.dirichlet(np.full(30, 0.5))).astype(str)
        late = (rng.random(len(rows)) < 0.05).astype(float)
        found += bool(find_segments(rows.assign(dest=dest, label=late), spec).found)
    assert found / tenants <= FALSE_SHARE


def test_small_segments_are_not_tested():
    rows = make_rows(days=20, each_day=10)
    tested = find_segments(rows, spec_of())
    assert tested.tested < len(set(zip(rows["origin"], rows["dest"], strict=True))) + 2 + 3 + 4 + 7
    few = find_segments(rows.head(40), spec_of())
    assert few.tested == 0


def test_a_missing_category_is_a_segment_like_others():
    rows = make_rows()
    bad = (rows["origin"] == "EWR") & (rows["dest"] == "ORD")
    gone = rows.assign(dest=rows["dest"].where(~bad, ""))
    values = {one.value for one in find_segments(gone, spec_of()).found}
    assert {"missing", "EWR → missing"} <= values


def test_at_most_twenty_are_told_half_of_them_calm():
    rows = make_rows(days=60, each_day=200)
    rng = np.random.default_rng(4)
    dest = pd.Series(rng.integers(0, 40, len(rows)).astype(str))
    chance = dest.astype(int) / 40
    rows = rows.assign(dest=dest, label=(rng.random(len(rows)) < chance).astype(float))
    found = find_segments(rows, spec_of()).found
    assert len(found) == 20
    assert sum(one.difference.value > 0 for one in found) == 10
