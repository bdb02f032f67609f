from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from tenantry.champions import Champion, Reign
from tenantry.facts import Attempt, Measured, Predicted
from tenantry.index_lines import from_line, tenant_of, to_line
from tenantry.states import TenantRecord
from tenantry.times import Window, compact
from tests.unit.any_records import START, WEEK, records

YEAR = [Window(START + n * WEEK, START + (n + 1) * WEEK) for n in range(52)]


@given(records)
def test_a_record_comes_back_from_its_line(record):
    line = to_line(record)
    assert from_line(line, "here") == record
    assert to_line(from_line(line, "here")) == line
    assert tenant_of(line) == "ua"
    assert b"\n" not in line


def test_what_only_a_folders_reader_knows_is_not_written():
    assert to_line(TenantRecord("ua", marked=True)) == b'["ua",{}]'


def test_a_year_of_a_tenant_is_short():
    trained = [START + 4 * n * WEEK for n in range(13)]
    names = [f"{compact(at)}-0123456789ab" for at in trained]
    reigns = tuple(
        Reign(
            since=trained[n],
            version=names[n],
            digest="",
            trained_until=trained[n],
            training_digest="5" * 64,
            recipe="stacked",
            gate="",
        )
        for n in (0, 5)
    )
    year = TenantRecord(
        "ua",
        champion=Champion(counter=2, reigns=reigns),
        attempts=frozenset(
            Attempt(at, name, "5" * 64, 100_000, promoted=at in (trained[0], trained[5]))
            for at, name in zip(trained, names, strict=True)
        ),
        predicted={
            one: (Predicted(one.end, names[0 if one.start < trained[5] else 5], False),)
            for one in YEAR
        },
        looked=frozenset(one.end for one in YEAR),
        judged=frozenset(YEAR[:50]),
        costs={stage: Measured(START, 0.1234) for stage in ("ingest", "train", "predict")},
    )
    assert len(to_line(year)) < 1536
    assert len(to_line(replace(year, looked=year.looked | {START + timedelta(hours=7)}))) < 1600


@pytest.mark.parametrize("line", [b"", b"{}", b'["ua"]', b'["ua",{"attempts":[[1,2,3]]}]'])
def test_what_is_no_line_is_refused_with_its_remedy(line):
    with pytest.raises(ValueError, match="here is no index of tenants .*tenantry reindex"):
        from_line(line, "here")
