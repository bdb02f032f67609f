from dataclasses import replace

import pytest

from tenantry.fleet import FleetState, read_fleet
from tenantry.members import Member
from tenantry.plans import Planned, RunPlan
from tenantry.report.summary import figures, judge_run, stage_costs, to_markdown
from tests.unit.memory_store import MemoryStore
from tests.unit.report.made_fleet import AS_OF, PRODUCT, ROWS, RUN, make_fleet

TROUBLED = read_fleet(make_fleet(), RUN)
WELL = read_fleet(make_fleet(rows={"ua": 4984, "vx": 436}, failing=False), RUN)
POOR = read_fleet(make_fleet(rows={"ua": 4984, "oo": 6}, failing=False), RUN)
STORED = read_fleet(make_fleet(), "another-run", PRODUCT)
IDLE = FleetState(
    RUN,
    PRODUCT,
    RunPlan(run=RUN, product=PRODUCT, title="Late", as_of=AS_OF, shards=(), tenants={}),
    tuple(one for one in TROUBLED.members if one.tenant == "tz"),
)


WAITS = Member(tenant="zz", planned=Planned(held=("train",), note="train waits"))
LATER = replace(WELL, members=(*WELL.members, WAITS))
POOLED = replace(
    IDLE,
    plan=IDLE.plan.model_copy(update={"pooled": {"eu": "no longer pooled: ua"}}),
    members=(*IDLE.members, WAITS),
)


@pytest.mark.parametrize(
    ("state", "status", "tone", "sentence"),
    [
        (
            LATER,
            "SUCCEEDED",
            "good",
            "All 2 tenants went well: 2 models trained, 2 promoted, 8 windows predicted, 8 judged. "
            "1 tenant left for later runs.",
        ),
        (
            POOLED,
            "SUCCEEDED",
            "good",
            "Nothing was due for 1 tenant, but for the pooled model of eu. "
            "1 tenant left for later runs.",
        ),
        (
            WELL,
            "SUCCEEDED",
            "good",
            "All 2 tenants went well: 2 models trained, 2 promoted, 8 windows predicted, 8 judged.",
        ),
        (
            POOR,
            "COMPLETE",
            "fair",
            "All 2 tenants went well, 1 of them in a lesser way: 2 models trained, 1 promoted, "
            "8 windows predicted, 8 judged.",
        ),
        (
            TROUBLED,
            "FAILED",
            "bad",
            "Of 16 tenants with work due, 2 failed and 2 are unknown; 12 went well: 14 models "
            "trained, 3 promoted, 52 windows predicted, 52 judged.",
        ),
        (
            WELL,
            "FAILED",
            "bad",
            "All 2 tenants went well, but the run ended as FAILED: see the failed task in "
            "Kubeflow.",
        ),
        (IDLE, "SUCCEEDED", "good", "Nothing was due for 1 tenant."),
        (
            POOLED,
            "FAILED",
            "bad",
            "Nothing was due for 1 tenant, but for the pooled model of eu, and the run ended as "
            "FAILED: see the failed task in Kubeflow. 1 tenant left for later runs.",
        ),
        (
            STORED,
            "SUCCEEDED",
            "good",
            "Nothing was due: the store holds all that the specs ask for.",
        ),
        (
            STORED,
            "FAILED",
            "bad",
            "The plan did not finish (the run ended as FAILED): see the log of the task plan. "
            "Below is what the store holds.",
        ),
    ],
)
def test_the_run_in_one_sentence(state, status, tone, sentence):
    verdict = judge_run(state, status)
    assert (verdict.tone, verdict.sentence) == (tone, sentence)


def test_figures():
    numbers = figures(TROUBLED)
    assert numbers.pop("cpu_seconds") > 100
    assert numbers == {
        "tenants": 17,
        "trained": 14,
        "promoted": 3,
        "windows": 52,
        "rows": sum(rows for tenant, rows in ROWS.items() if tenant not in ("as", "f9", "yv")),
        "judged": 52,
        "failed": 2,
        "unknown": 2,
    }


def test_costs_add_up_to_what_the_ledgers_say():
    costs = stage_costs(TROUBLED)
    assert list(costs)[:3] == ["ingest", "build_features", "train"]
    assert sum(costs.values()) == pytest.approx(figures(TROUBLED)["cpu_seconds"], abs=0.01)


def test_the_pooled_model_is_among_the_costs():
    state = replace(TROUBLED, pooled_seconds=12.5)
    assert next(iter(stage_costs(state))) == "train_pooled"
    more = figures(state)["cpu_seconds"] - figures(TROUBLED)["cpu_seconds"]
    assert more == pytest.approx(12.5, abs=0.01)


def test_markdown_names_what_failed_and_every_tenant():
    text = to_markdown(TROUBLED, "FAILED")
    assert text.startswith("# Flights that arrive more than 15 minutes late as of 2013-11-01")
    assert "## Failed or unknown" in text
    assert "| yv | ingest | arrival" in text.replace("\\", "")
    assert all(f"\n| {tenant} |" in text for tenant in ROWS)


def test_markdown_tells_alarms_of_this_run():
    text = to_markdown(TROUBLED, "FAILED").replace("\\", "")
    assert "## Decay and drift" in text
    assert "| vx | 2013-10-22 to 2013-10-29 | Decayed: log loss" in text
    assert "| b6 | 2013-10-22 to 2013-10-29 | temp drifted by 0.41." in text
    assert "## Decay and drift" not in to_markdown(STORED, "FAILED")


def test_markdown_of_an_empty_store():
    text = to_markdown(read_fleet(MemoryStore(), RUN, PRODUCT), "SUCCEEDED")
    assert "Nothing was due" in text
    assert "## Tenants" not in text


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", "a | b", "[x](http://y)", "{{$.a}}"]
)
def test_hostile_text_stays_text_in_markdown(hostile):
    plan = TROUBLED.plan.model_copy(update={"title": hostile})
    text = to_markdown(FleetState(RUN, PRODUCT, plan, TROUBLED.members), "FAILED")
    first = text.splitlines()[0]
    assert "<script" not in first.replace("\\<", "")
    assert "](" not in first
    assert first.count("|") == first.count("\\|")


def test_markdown_of_a_large_fleet_lists_the_worst_and_counts_the_others():
    more = tuple(Member(tenant=f"a{n:03}") for n in range(130))
    text = to_markdown(replace(TROUBLED, members=(*more, *TROUBLED.members)), "FAILED")
    assert "\n| yv |" in text.split("## Tenants")[1]
    assert text.count("\n| a") < 100
    assert text.endswith("… and 47 more on the fleet's page.\n")
