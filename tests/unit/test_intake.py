"""Rows taken in stretches give the snapshot, the quality and the origin of all rows at once."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from tenantry.contract import check_rows
from tenantry.erasure.suppression import Suppressed, hash_rows
from tenantry.errors import ContractError
from tenantry.fingerprints import join_fingerprints, pooled_fingerprint
from tenantry.intake import take_rows, take_stretches
from tenantry.jobs import Job
from tenantry.ledger import Entry
from tenantry.snapshots import write_chunks
from tenantry.sources.collect import read_span
from tenantry.sources.stretches import find_stretches
from tests.unit.memory_store import MemoryStore
from tests.unit.sources.lake import AS_OF, ROWS, WEATHER, Lake, make_rows, make_spec, write_parquet

PARQUET = ROWS[:1]
TRAIN = {"every": "7d", "history": "90d"}


@pytest.fixture
def lake(tmp_path):
    lake = Lake(tmp_path)
    hours = pd.date_range("2023-12-01", "2024-03-01", freq="h", tz="UTC", unit="us")
    weather = pd.DataFrame({"seen_at": hours, "temp": range(len(hours))})
    places = [weather.assign(place=place) for place in ("a", "b")]
    write_parquet(tmp_path / "weather.parquet", pd.concat(places))
    return lake


def make_job(lake, frame, **changes):
    write_parquet(lake.folder / "north" / "visits" / "part-0.parquet", frame)
    spec = make_spec(**{"rows": PARQUET, "train": TRAIN} | changes)
    return Job("run", AS_OF, spec, Entry(tenant="acme"), MemoryStore(), lake.connections)


def stretches_of(job, at_once=40):
    return find_stretches(
        job.spec, job.connections, read_span(job.spec, job.as_of), at_once=at_once
    )


def dirty():
    """Rows of three months: some bad, one twice, one without a time."""
    amounts = [-1.0 if n % 9 == 0 else np.nan if n % 4 == 0 else n for n in range(160)]
    frame = make_rows(160, start="2023-12-20", amount=amounts)
    return pd.concat([frame, frame.tail(1), frame.head(1).assign(at=pd.NaT, number=999)])


def told(job, taken):
    checked = taken.checked
    snapshot = write_chunks(job.store, job.spec, checked, taken.chunks)
    return snapshot, checked.quality, checked.not_yet_known, taken.fingerprint


@pytest.mark.parametrize("joins", [(), (WEATHER,)], ids=["alone", "joined"])
def test_rows_in_stretches_are_those_that_are_read_at_once(lake, joins):
    columns = {"temp": {"type": "number"}} if joins else {}
    contract = {"max_quarantined_share": 0.5}
    job = make_job(lake, dirty(), joins=joins, columns=columns, contract=contract)
    stretches = stretches_of(job)
    assert len(stretches) == 3
    parts, whole = take_stretches(job, stretches, None), take_rows(job, None, None)
    assert told(job, parts) == told(job, whole)
    assert parts.checked.quality.quarantined > 10
    assert parts.checked.quality.copies == 1
    pd.testing.assert_frame_equal(parts.checked.quarantined, whole.checked.quarantined)
    for part, one in zip(parts.checked.reads, whole.checked.reads, strict=True):
        assert part.files == one.files
        assert part.types == one.types
    assert parts.checked.reads[0].within == whole.checked.reads[0].within


def test_a_key_that_comes_again_in_another_stretch_is_for_all_rows_at_once(lake):
    frame = make_rows(160, start="2023-12-20")
    job = make_job(lake, frame.assign(number=[*range(159), 3]))
    assert take_stretches(job, stretches_of(job), None) is None
    assert take_rows(job, None, None).checked.quality.quarantined == 2


def test_rows_that_share_a_key_within_a_stretch_are_for_all_rows_at_once(lake):
    job = make_job(lake, make_rows(160, start="2023-12-20").assign(number=[*range(159), 158]))
    assert take_stretches(job, stretches_of(job), None) is None


def test_a_contract_is_broken_by_all_rows_together(lake):
    job = make_job(lake, dirty(), contract={"max_quarantined_share": 0.01})
    with pytest.raises(ContractError, match="are bad, at most 1.0% may be"):
        take_stretches(job, stretches_of(job), None)


def test_only_many_rows_of_plain_parquet_files_are_stretched(lake):
    frame = make_rows(160, start="2023-12-20")
    job = make_job(lake, frame)
    span = read_span(job.spec, job.as_of)
    assert stretches_of(job, at_once=1000) == (span,)
    assert find_stretches(make_spec(), lake.connections, span, at_once=1) == (span,)
    texts = make_job(lake, frame.assign(amount=frame["amount"].astype("str")))
    assert stretches_of(texts) == (span,)
    numbered = make_job(lake, frame.assign(shop=frame["number"]))
    assert stretches_of(numbered) == (span,)
    truths = make_job(lake, frame.assign(amount=[*[True] * 159, None]))
    assert stretches_of(truths) == (span,)


def test_stretches_are_whole_months_that_make_up_the_span(lake):
    job = make_job(lake, make_rows(160, start="2023-12-20"))
    stretches = stretches_of(job)
    span = read_span(job.spec, job.as_of)
    assert (stretches[0].start, stretches[-1].end) == (span.start, span.end)
    for one, other in pairwise(stretches):
        assert one.end == other.start
        assert (one.end.day, one.end.hour) == (1, 0)


def test_fingerprints_of_parts_join_to_that_of_all():
    spec = make_spec()
    rows = check_rows(make_rows(20), spec, AS_OF).rows
    parts = [pooled_fingerprint(part, spec) for part in (rows.head(7), rows.iloc[7:])]
    assert join_fingerprints(parts) == pooled_fingerprint(rows, spec)
    assert not join_fingerprints([parts[0], ""])


def test_rows_that_were_erased_are_left_out_of_every_stretch(lake):
    job = make_job(lake, make_rows(160, start="2023-12-20"))
    gone = pd.DataFrame({"number": [1.0, 159.0]})
    hashes = hash_rows("5a" * 16, gone, ("number",), job.spec.contract.columns)
    suppressed = Suppressed(salt="5a" * 16).add(("number",), [str(one) for one in hashes])
    taken = take_stretches(job, stretches_of(job), suppressed)
    assert taken is not None
    assert taken.checked.quality.rows == 158
