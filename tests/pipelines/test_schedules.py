from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipelines.clock import Cron, CronError
from pipelines.schedules import find_recurring, read_schedules
from tenantry.errors import SpecError

NOW = datetime(2026, 1, 15, tzinfo=UTC)
SUMMER = datetime(2026, 7, 15, tzinfo=UTC)


def written(tmp_path, text):
    path = tmp_path / "schedules.yaml"
    path.write_text(text)
    return path


def one(**fields):
    given = {"name": "daily", "product": "churn", "cron": "0 5 * * *"} | fields
    return f"schedules:\n- {given}\n".replace("'", '"').replace("True", "true")


def recurring(tmp_path, region="", clock="UTC", now=NOW, **fields):
    schedules = read_schedules(written(tmp_path, one(**fields)))
    return find_recurring(schedules, "v1", now=now, clock=clock, region=region)


def test_a_recurring_run_for_each_region_and_part(tmp_path):
    found = recurring(tmp_path, regions=["eu", "us"], partitions=2)
    assert [run.key for run in found] == [
        "daily/eu/1-of-2",
        "daily/eu/2-of-2",
        "daily/us/1-of-2",
        "daily/us/2-of-2",
    ]
    assert found[3].parameters == {"product": "churn", "region": "us", "partition": "2/2"}
    assert found[3].title == "churn: daily, us, 2 of 2"
    here = recurring(tmp_path, region="us", regions=["eu", "us"])
    assert [run.key for run in here] == ["daily/us"]


def test_the_digest_follows_all_but_whether_it_is_on(tmp_path):
    (plain,) = recurring(tmp_path)
    digests = {
        recurring(tmp_path, **change)[0].digest
        for change in (
            {"cron": "0 6 * * *"},
            {"catch_up": True},
            {"concurrency": 2},
            {"parameters": {"max_shards": 3}},
        )
    }
    assert len({plain.digest, *digests}) == 5
    assert replace(plain, account="another").digest != plain.digest
    assert recurring(tmp_path)[0].digest == plain.digest


@pytest.mark.parametrize(
    ("zone", "clock", "now", "cron", "moved"),
    [
        ("UTC", "UTC", NOW, "0 5 * * *", "0 0 5 * * *"),
        ("Europe/Berlin", "Europe/Berlin", NOW, "0 5 * * 1-5", "0 0 5 * * 1-5"),
        ("Europe/Berlin", "UTC", NOW, "0 5 * * 1-5", "0 0 4 * * 1-5"),
        ("Europe/Berlin", "UTC", SUMMER, "0 5 * * 1-5", "0 0 3 * * 1-5"),
        ("Europe/Berlin", "UTC", NOW, "15,45 6,18 * * *", "0 15,45 5,17 * * *"),
        ("Europe/Berlin", "UTC", NOW, "30 0 * * *", "0 30 23 * * *"),
        ("Asia/Kolkata", "UTC", NOW, "0 5 * * *", "0 30 23 * * *"),
        ("UTC", "America/New_York", NOW, "10 20 5 * * ?", "10 20 0 * * ?"),
    ],
)
def test_a_cron_follows_the_controllers_clock(zone, clock, now, cron, moved):
    assert Cron.parse(cron).moved(zone, clock, now).text == moved


@pytest.mark.parametrize(
    ("cron", "zone", "words"),
    [
        ("daily", "UTC", "is no cron"),
        ("0 5 * *", "UTC", "is no cron"),
        ("0 5 * * $x", "UTC", "is no cron"),
        ("0 5 * * *", "Middle/Earth", "is no time zone"),
        ("0 5 * * *", "../etc", "is no time zone"),
        ("0 0 * * 1", "Europe/Berlin", "it is another day"),
        ("0 */6 * * *", "Europe/Berlin", "must be numbers"),
        ("0,30 5 * * *", "Asia/Kolkata", "have different minutes"),
    ],
)
def test_what_cannot_be_told_by_that_clock_is_refused(cron, zone, words):
    with pytest.raises(CronError, match=words):
        Cron.parse(cron).moved(zone, "UTC", NOW)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"cron": "x"}, "schedules.daily.cron: 'x' is no cron"),
        ({"timezone": "Mars"}, "schedules.daily.cron: 'Mars' is no time zone"),
        ({"parameters": {"as_of": "2013"}}, "parameters.as_of: is not a schedule's to give"),
        (
            {"parameters": {"max_shard": 3}},
            "is no parameter of the pipeline; did you mean",
        ),
        ({"parameters": {"max_shards": "3"}}, "parameters.max_shards: is not a whole number"),
        ({"parameters": {"force": 1}}, "parameters.force: is not true or false"),
        ({"concurrency": 0}, "concurrency"),
        ({"partition": 2}, "partition"),
    ],
)
def test_every_fault_is_told(tmp_path, fields, fault):
    with pytest.raises(SpecError) as caught:
        read_schedules(written(tmp_path, one(**fields)))
    assert fault in str(caught.value)


def test_names_are_unique(tmp_path):
    text = one() + one().partition("\n")[2]
    with pytest.raises(SpecError, match="stands twice"):
        read_schedules(written(tmp_path, text))


def test_an_empty_file_of_schedules_is_one(tmp_path):
    assert read_schedules(written(tmp_path, "schedules: []\n")) == ()
