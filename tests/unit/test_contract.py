"""Bad rows are set aside, a broken contract stops the tenant, the future stays shut."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantry.columns import RESERVED
from tenantry.contract import check_rows, expected_columns, outcome_columns
from tenantry.errors import ContractError
from tests.unit.sources.lake import AS_OF, COLUMNS, make_rows, make_spec

LENIENT = {"max_quarantined_share": 1.0}
HOSTILE = [
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "{{$.inputs}}",
    "'; DROP TABLE x; --",
    "🦉",
]


def rows_with(**columns):
    """Return ten good visits with some columns replaced; 1 February on, every 8 hours."""
    return make_rows(10).drop(columns="noise").assign(**columns)


def with_value(column, place, value):
    frame = rows_with(vip=True)
    values = frame[column].astype(object)
    values[place] = value
    return frame.assign(**{column: values})


def test_good_rows_come_typed_labelled_and_sorted():
    frame = rows_with().sample(frac=1, random_state=1)
    checked = check_rows(frame, make_spec(), AS_OF)
    expected = [*expected_columns(make_spec()), *RESERVED]
    assert list(checked.rows.columns) == expected
    assert checked.rows["number"].tolist() == list(range(1, 11))
    assert checked.rows.dtypes.astype("str").to_dict() == {
        **dict.fromkeys(["brand", "shop"], "str"),
        **dict.fromkeys(["number", "amount", "spent", "label"], "float64"),
        **dict.fromkeys(["at", "event_time", "known_at", "label_known_at"], "datetime64[us, UTC]"),
    }
    assert checked.rows["label"].tolist() == [float(number > 10) for number in range(1, 11)]
    assert (checked.rows["label_known_at"] - checked.rows["event_time"]).unique() == [
        timedelta(days=2)
    ]
    assert checked.quarantined.empty
    assert checked.quality.sentence == "10 rows"
    assert checked.quality.first_event == datetime(2024, 2, 1, tzinfo=UTC)
    assert checked.quality.last_event == datetime(2024, 2, 4, tzinfo=UTC)
    assert checked.quality.labelled == 10


@pytest.mark.parametrize(
    ("column", "value", "rule", "reason"),
    [
        ("amount", "much", {}, "amount: not a finite number"),
        ("amount", float("inf"), {}, "amount: not a finite number"),
        ("amount", -1, {}, "amount: below 0"),
        ("amount", 11, {"max": 10}, "amount: above 10"),
        ("amount", None, {"required": True}, "amount: missing"),
        ("amount", 1.5, {"type": "integer"}, "amount: not a whole number"),
        ("vip", "x", {"type": "boolean"}, "vip: not true or false"),
        ("shop", "c", {}, "shop: not an allowed category"),
        ("shop", b"a", {}, "shop: not a short text"),
        ("shop", "x" * 1001, {"categories": None}, "shop: not a short text"),
        ("number", None, {}, "number: missing"),
        ("number", 3.5, {}, "number: not a whole number"),
        ("at", None, {}, "at: missing"),
        ("at", "soon", {}, "at: not a time"),
        ("spent", "a lot", {}, "spent: not a finite number"),
    ],
)
def test_a_bad_row_is_set_aside_with_its_reason(column, value, rule, reason):
    spec = make_spec(columns={column: {**COLUMNS.get(column, {}), **rule}})
    checked = check_rows(with_value(column, 4, value), spec, AS_OF)
    assert checked.rows["number"].tolist() == [1, 2, 3, 4, 6, 7, 8, 9, 10]
    assert checked.quarantined["reason"].tolist() == [reason]
    assert checked.quality.reasons == {reason: 1}
    assert checked.quality.quarantined == 1
    assert checked.quality.sentence == f"9 rows, 1 set aside ({reason} 1)"


def test_a_column_may_not_have_a_name_of_ours():
    columns = {"at": None, "event_time": {"type": "time"}, "known_at": {"type": "time"}}
    times = {"event_time": "event_time", "label_known_at": {"delay": "2d"}}
    frame = rows_with().rename(columns={"at": "event_time"}).assign(known_at=AS_OF)
    with pytest.raises(ContractError) as caught:
        check_rows(frame, make_spec(columns=columns, times=times), AS_OF)
    assert [line.split(": ")[1:3] for line in str(caught.value).splitlines()] == [
        [
            f"contract.columns.{name}",
            "is a name that we use ourselves; give the column another name in the source",
        ]
        for name in ("event_time", "known_at")
    ]


def test_missing_values_that_may_be_missing_are_fine():
    checked = check_rows(rows_with(amount=[None, *range(9)], shop=None), make_spec(), AS_OF)
    assert checked.quality.null_shares["amount"] == 0.1
    assert checked.quality.null_shares["shop"] == 1.0
    assert checked.quality.quarantined == 0


def test_all_faults_of_a_row_are_told():
    frame = with_value("amount", 0, -5).assign(shop=["z", *["a"] * 9])
    checked = check_rows(frame, make_spec(), AS_OF)
    assert checked.quarantined["reason"].tolist() == [
        "amount: below 0; shop: not an allowed category"
    ]
    assert checked.quality.quarantined == 1


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_text_stays_text_and_out_of_messages(value):
    spec = make_spec(columns={"shop": {"type": "category"}, "amount": {"type": "number"}})
    frame = with_value("amount", 3, value).assign(shop=value)
    checked = check_rows(frame, spec, AS_OF)
    assert set(checked.rows["shop"]) == {value}
    assert checked.quarantined["amount"].tolist() == [value]
    assert value not in checked.quality.to_json().decode() + checked.quality.sentence


def test_copies_count_once_and_rivals_are_all_set_aside():
    frame = make_rows(20).drop(columns="noise")
    copies = frame.iloc[[1, 1, 2]]
    rivals = frame.iloc[[2, 5]].assign(amount=99.0)
    checked = check_rows(pd.concat([frame, copies, rivals]), make_spec(), AS_OF)
    assert checked.rows["number"].tolist() == [1, 2, 4, 5, *range(7, 21)]
    assert checked.quality.copies == 3
    assert checked.quality.reasons == {"brand, number: shared with another row": 4}
    assert checked.quarantined["number"].tolist() == ["3", "3", "6", "6"]
    assert checked.quality.sentence == (
        "18 rows, 4 set aside (brand, number: shared with another row 4), 3 copies left out"
    )


def test_a_bad_rival_does_not_condemn_the_good_row():
    frame = rows_with()
    checked = check_rows(
        pd.concat([frame, frame.iloc[[0]].assign(amount=-1.0)]), make_spec(), AS_OF
    )
    assert checked.quality.rows == 10
    assert checked.quality.reasons == {"amount: below 0": 1}


def test_labels_are_hidden_until_known_and_never_judged_before():
    frame = with_value("spent", 9, "garbage")
    as_of = datetime(2024, 2, 5, tzinfo=UTC)
    checked = check_rows(frame, make_spec(), as_of)
    known = checked.rows["event_time"] + timedelta(days=2) <= as_of
    assert checked.rows["label"].notna().tolist() == known.tolist()
    assert checked.rows["spent"].notna().tolist() == known.tolist()
    assert checked.quality.quarantined == 0
    assert checked.quality.labelled == int(known.sum()) == 7
    assert checked.quality.null_shares["spent"] == 0.0


def test_what_histories_are_made_of_is_known_with_the_label():
    features = {
        "paid": {"kind": "history", "of": "paid", "over": "7d"},
        "amount": {"kind": "numeric"},
    }
    spec = make_spec(columns={"paid": {"type": "number"}}, features=features)
    assert outcome_columns(spec) == ("paid", "spent")
    checked = check_rows(rows_with(paid=1.0), spec, datetime(2024, 2, 3, tzinfo=UTC))
    assert checked.rows["paid"].notna().tolist() == checked.rows["label"].notna().tolist()


def test_rows_known_only_later_are_counted_and_left_out():
    known_at = pd.date_range("2024-02-01", periods=10, freq="1D", tz="UTC").astype(object).tolist()
    known_at[0] = "nobody knows"
    times = {"event_time": "at", "known_at": {"column": "known"}, "label_known_at": {"delay": "2d"}}
    spec = make_spec(columns={"known": {"type": "time"}}, times=times)
    frame = with_value("amount", 9, "garbage").assign(known=known_at)
    checked = check_rows(frame, spec, datetime(2024, 2, 7, tzinfo=UTC))
    assert checked.rows["number"].tolist() == [2, 3, 4, 5, 6, 7]
    assert checked.not_yet_known == 3
    assert checked.quality.reasons == {"known: not a time": 1}


def test_a_label_column_that_says_when_it_is_known():
    times = {"event_time": "at", "label_known_at": {"column": "told"}}
    told = ["2024-02-03", "2025-01-01", None, *["2024-02-02"] * 7]
    spec = make_spec(columns={"told": {"type": "time"}}, times=times)
    checked = check_rows(rows_with(told=told), spec, AS_OF)
    assert checked.rows["label"].isna().tolist() == [False, True, True, *[False] * 7]
    assert checked.quality.quarantined == 0


@pytest.mark.parametrize("later", ["2025-01-01", "2199-12-31", "soon", None])
def test_a_moment_still_to_come_is_hidden_since_it_tells_the_label(later):
    times = {"event_time": "at", "label_known_at": {"column": "told"}}
    spec = make_spec(columns={"told": {"type": "time"}}, times=times)
    assert outcome_columns(spec) == ("spent", "told")
    told = [later, *["2024-02-02"] * 9]
    checked = check_rows(rows_with(told=told), spec, AS_OF)
    for column in ("label", "label_known_at", "told", "spent"):
        assert checked.rows[column].isna().tolist() == [True, *[False] * 9]
    assert checked.quality.quarantined == 0


def test_a_label_known_with_its_event_hides_no_event():
    times = {"event_time": "at", "label_known_at": {"column": "at"}}
    spec = make_spec(times=times)
    assert outcome_columns(spec) == ("spent",)
    assert check_rows(rows_with(), spec, AS_OF).quality.quarantined == 0


def test_regression_keeps_the_value():
    spec = make_spec(label={"column": "spent", "task": "regression"})
    checked = check_rows(rows_with(spent=[None, *range(9)]), spec, AS_OF)
    np.testing.assert_array_equal(checked.rows["label"], [np.nan, *range(9)])


@pytest.mark.parametrize(
    ("frame", "contract", "faults"),
    [
        (rows_with().head(0), {}, ["acme: rows: there is none in the span that is read"]),
        (rows_with(at="2099-01-01"), {}, ["acme: rows: none is known yet"]),
        (
            rows_with().drop(columns=["shop", "amount"]),
            {},
            [
                "acme: contract.columns.amount: the column is missing",
                "acme: contract.columns.shop: the column is missing",
            ],
        ),
        (
            rows_with(amount="some text"),
            {},
            [
                "acme: contract.max_quarantined_share: 100.0% of the rows are bad, "
                "at most 20.0% may be: 0 rows, 10 set aside (amount: not a finite number 10)"
            ],
        ),
        (
            rows_with(number=7),
            LENIENT,
            [
                "acme: rows: none keeps the contract: 0 rows, 10 set aside "
                "(brand, number: shared with another row 10)"
            ],
        ),
        (
            rows_with(amount=None, shop=["z"] * 3 + ["a"] * 7),
            {},
            [
                "acme: contract.columns.amount.max_null_share: 100.0% of the values are missing, "
                "at most 50.0% may be",
                "acme: contract.max_quarantined_share: 30.0% of the rows are bad, "
                "at most 20.0% may be: 7 rows, 3 set aside (shop: not an allowed category 3)",
            ],
        ),
    ],
)
def test_a_broken_contract_is_told_whole_with_a_remedy(frame, contract, faults):
    columns = {"amount": {"type": "number", "min": 0, "max_null_share": 0.5}}
    spec = make_spec(columns=columns, contract=contract)
    with pytest.raises(ContractError) as caught:
        check_rows(frame, spec, AS_OF)
    assert [f"{fault.place}: {fault.fault}" for fault in caught.value.faults] == faults
    assert all(fault.remedy for fault in caught.value.faults)


def test_many_reasons_are_told_in_short():
    frame = rows_with(
        amount=[-1, "x", None, *range(7)],
        shop=["a", "a", "a", "z", "z", *["b"] * 5],
        number=[1, 2, 3, 4, 5, None, "y", 8, 9, 10],
    )
    columns = {"amount": {"type": "number", "min": 0, "required": True}}
    checked = check_rows(frame, make_spec(columns=columns, contract=LENIENT), AS_OF)
    assert checked.quality.sentence == (
        "3 rows, 7 set aside (shop: not an allowed category 2, amount: below 0 1, "
        "amount: missing 1, 3 more reasons)"
    )


garbage = st.sampled_from([None, "garbage", "<b>", -99, 1e9, float("inf"), "2024-02-01"])


@settings(max_examples=30, deadline=None)
@given(st.data(), st.integers(0, 12 * 24))
def test_nothing_later_than_as_of_is_looked_at(data, hours):
    as_of = datetime(2024, 2, 1, tzinfo=UTC) + timedelta(hours=hours)
    frame = make_rows(30).drop(columns="noise")
    later = (frame["at"] > as_of).tolist()
    unknown = (frame["at"] + timedelta(days=2) > as_of).tolist()
    poisoned = frame.astype(dict.fromkeys(["amount", "shop", "spent"], object))
    for place in range(30):
        if later[place]:
            poisoned.loc[place, "amount"] = data.draw(garbage)
            poisoned.loc[place, "shop"] = data.draw(garbage)
        if unknown[place]:
            poisoned.loc[place, "spent"] = data.draw(garbage)
    one, other = (check_rows(rows, make_spec(), as_of) for rows in (frame, poisoned))
    pd.testing.assert_frame_equal(one.rows, other.rows)
    pd.testing.assert_frame_equal(one.quarantined, other.quarantined)
    assert one.quality == other.quality


@settings(max_examples=20, deadline=None)
@given(st.randoms())
def test_the_order_of_rows_does_not_matter(random):
    frame = make_rows(12).drop(columns="noise")
    frame = pd.concat([frame, frame.iloc[[3, 4]], frame.iloc[[5]].assign(amount=50.0)])
    frame["shop"] = ["z", *["a"] * 14]
    shuffled = frame.sample(frac=1, random_state=random.randrange(2**32))
    spec = make_spec(contract=LENIENT)
    one, other = (check_rows(rows, spec, AS_OF) for rows in (frame, shuffled))
    pd.testing.assert_frame_equal(one.rows, other.rows)
    pd.testing.assert_frame_equal(one.quarantined, other.quarantined)
    assert one.quality == other.quality
