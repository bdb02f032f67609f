"""A backfill reads rows older than the history apart, and predicts by the model it asks for."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from tenantry.columns import EVENT_TIME
from tenantry.errors import ContractError, StoreUnavailableError
from tenantry.features.tables import read_features
from tenantry.jobs import Job
from tenantry.ledger import Due, Entry, Outcome
from tenantry.receipts import read_model_receipts, read_receipts
from tenantry.snapshots import read_snapshot
from tenantry.sources.collect import old_rows_span
from tenantry.stages.build_features import build_features
from tenantry.stages.ingest import ingest
from tenantry.stages.predict import predict
from tests.unit.memory_store import MemoryStore
from tests.unit.sources.lake import AS_OF, ROWS, Lake, make_rows, make_spec, write_csv
from tests.unit.stages.tenancy import AUGUST, SEPTEMBER, WINDOWS, Tenancy
from tests.unit.tiny_fleet import AS_OF as OCTOBER

DAY = timedelta(days=1)
LONG_AGO = datetime(2023, 10, 2, tzinfo=UTC)
HISTORY = {"kind": "history", "of": "label", "over": "30d"}
FEATURES = {"amount": {"kind": "numeric"}, "spent_30d": HISTORY}


def order(since, until=AS_OF, *, model="then", windows=()):
    ids = tuple(window.id for window in windows)
    return Due(
        action="backfill", reason="asked for", windows=ids, model=model, since=since, until=until
    )


def spec(**changes):
    return make_spec(rows=ROWS[1:2], features=FEATURES, **changes)


@pytest.fixture
def lake(tmp_path):
    """Visits of half a year, one every 8 hours."""
    lake = Lake(tmp_path)
    write_csv(lake.folder / "south" / "visits.csv.gz", make_rows(540, start="2023-09-01"))
    return lake


def job(lake, *due, store=None, outcomes=(), **changes):
    entry = Entry(tenant="acme", due=due, outcomes=outcomes)
    return Job("run", AS_OF, spec(**changes), entry, store or MemoryStore(), lake.connections)


PREDICT = Due(action="predict", reason="not yet predicted")


# --- the rows -------------------------------------------------------------------------------------


def test_within_the_history_a_backfill_reads_what_everybody_reads():
    assert old_rows_span(spec(), order(AS_OF - 60 * DAY), AS_OF) is None
    assert old_rows_span(spec(), None, AS_OF) is None
    assert old_rows_span(spec(), PREDICT, AS_OF) is None


def test_past_it_rows_are_read_from_before_the_first_window_as_far_as_features_look_back():
    span = old_rows_span(spec(), order(LONG_AGO, LONG_AGO + 90 * DAY), AS_OF)
    assert span.start == LONG_AGO - 44 * DAY
    assert span.end == LONG_AGO + 97 * DAY


def test_old_rows_get_a_snapshot_of_their_own_and_the_usual_one_stays_as_it_is(lake):
    store = MemoryStore()
    plain = ingest(job(lake, PREDICT, store=MemoryStore()))
    both = ingest(job(lake, PREDICT, order(LONG_AGO), store=store))
    assert both.facts["snapshot"] == plain.facts["snapshot"]
    old = read_snapshot(store, "spending", "acme", both.facts["backfill_snapshot"])
    usual = read_snapshot(store, "spending", "acme", both.facts["snapshot"])
    assert old[EVENT_TIME].min() < LONG_AGO - 29 * DAY
    assert usual[EVENT_TIME].min() >= AS_OF - 60 * DAY
    assert "; for the backfill 540 rows" in both.message


def test_alone_a_backfill_reads_its_own_rows_only(lake):
    result = ingest(job(lake, order(LONG_AGO)))
    assert sorted(result.facts) == [
        "backfill_labelled",
        "backfill_quarantined",
        "backfill_rows",
        "backfill_snapshot",
    ]


def test_old_rows_that_break_the_contract_leave_the_rest_of_the_run_alone(lake):
    rows = make_rows(540, start="2023-09-01")
    rows.loc[rows["at"] < "2023-12-01", "shop"] = "zzz"
    write_csv(lake.folder / "south" / "visits.csv.gz", rows)
    result = ingest(job(lake, PREDICT, order(LONG_AGO)))
    assert result.status == "fell_back"
    assert "the backfill stays due: acme: contract.max_quarantined_share" in result.message
    assert "backfill_snapshot" not in result.facts
    with pytest.raises(ContractError):
        ingest(job(lake, order(LONG_AGO)))


def test_each_snapshot_gets_a_feature_table(lake):
    store = MemoryStore()
    read = ingest(job(lake, PREDICT, order(LONG_AGO), store=store))
    done = Outcome(stage="ingest", status="done", facts=read.facts)
    built = build_features(job(lake, PREDICT, order(LONG_AGO), store=store, outcomes=(done,)))
    tables = [
        read_features(store, "spending", "acme", built.facts[f"{prefix}features"])
        for prefix in ("", "backfill_")
    ]
    assert [len(table) for table in tables] == [built.facts["rows"], built.facts["backfill_rows"]]
    assert len(built.keys) == 2
    usual, old = (table.set_index("number") for table in tables)
    late = usual.index[usual[EVENT_TIME] > AS_OF - 20 * DAY]
    pd.testing.assert_frame_equal(usual.loc[late], old.loc[late], check_exact=False)


# --- the models -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained():
    tenancy = Tenancy()
    return tenancy, [tenancy.train(AUGUST), tenancy.train(SEPTEMBER, "trees")]


@pytest.fixture
def tenancy(trained):
    """A tenant whose champion since September was preceded by one since August."""
    original, cards = trained
    copy = original.copy()
    for card in cards:
        copy.crown(card)
    return copy


def asked(tenancy, *windows, model="then"):
    return tenancy.job(OCTOBER, order(windows[0].start, OCTOBER, model=model, windows=windows))


def by_model(tenancy):
    receipts = read_model_receipts(tenancy.store, "arrival-delay", "ua")
    return {window: set(models) for window, models in receipts.items()}


def test_then_is_the_model_that_reigned_when_a_window_began(tenancy, trained):
    august, september = (card.version for card in trained[1])
    predict(asked(tenancy, *WINDOWS[:2]))
    assert by_model(tenancy) == {WINDOWS[0]: {august}, WINDOWS[1]: {september}}


def test_current_predicts_all_and_windows_that_it_has_seen_are_in_sample(tenancy, trained):
    september = trained[1][1].version
    result = predict(asked(tenancy, *WINDOWS[:2], model="current"))
    assert by_model(tenancy) == {window: {september} for window in WINDOWS[:2]}
    assert result.facts["in_sample"] == 1


def test_a_prediction_out_of_sample_stays_in_force(tenancy, trained):
    predict(tenancy.predict_job(OCTOBER, WINDOWS[0]))
    predict(asked(tenancy, WINDOWS[0], model="current"))
    assert len(by_model(tenancy)[WINDOWS[0]]) == 2
    (receipt,) = read_receipts(tenancy.store, "arrival-delay", "ua").values()
    assert receipt.model == trained[1][0].version


def test_what_a_model_has_predicted_before_it_does_not_predict_again(tenancy):
    predict(asked(tenancy, *WINDOWS))
    before = dict(tenancy.store.objects)
    result = predict(asked(tenancy, *WINDOWS))
    assert tenancy.store.objects == before
    assert result.facts["windows"] == 0


def test_a_window_that_is_due_both_ways_is_predicted_once_by_each_model(tenancy):
    usual = Due(action="predict", reason="r", windows=tuple(window.id for window in WINDOWS))
    more = order(WINDOWS[0].start, OCTOBER, model="current", windows=WINDOWS)
    result = predict(tenancy.job(OCTOBER, usual, more))
    assert result.facts["windows"] == len(result.keys) == 5
    assert [len(models) for models in by_model(tenancy).values()] == [2, 1, 1, 1]


def test_without_its_rows_a_backfill_stays_open_and_says_so(tenancy):
    long_ago = OCTOBER - 400 * DAY
    usual = Due(action="predict", reason="r", windows=(WINDOWS[3].id,))
    old = order(long_ago, OCTOBER, windows=WINDOWS[:2])
    result = predict(tenancy.job(OCTOBER, usual, old))
    assert set(by_model(tenancy)) == {WINDOWS[3]}
    assert result.status == "fell_back"
    assert result.message.endswith("the backfill's rows could not be read; 2 windows stay open")


class Failing(MemoryStore):
    """A store that is gone after two receipts."""

    def put_if_absent(self, key, content):
        if sum(one.endswith("/receipt.json") for one in self.objects) == 2:
            msg = "the store is gone"
            raise StoreUnavailableError(msg)
        return super().put_if_absent(key, content)


def test_receipts_are_committed_as_they_are_made(tenancy):
    whole, tenancy.store = tenancy.store, Failing()
    tenancy.store.objects = whole.objects
    with pytest.raises(StoreUnavailableError):
        predict(asked(tenancy, *WINDOWS))
    tenancy.store = whole
    assert len(by_model(tenancy)) == 2
    assert predict(asked(tenancy, *WINDOWS)).facts["windows"] == 2
