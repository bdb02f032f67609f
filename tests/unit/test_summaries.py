from tenantry.ledger import Due, Entry, Header, Ledger, Outcome
from tenantry.plans import Planned, RunPlan
from tenantry.summaries import ledger_markdown, plan_markdown
from tenantry.times import parse_moment

AS_OF = parse_moment("2013-10-01")
HOSTILE = "<script>x</script> | `a` {{$.x}}\n# head"


def test_a_plan_shows_each_tenant_with_its_reasons():
    made = RunPlan(
        run="r1",
        product="arrival-delay",
        title="t",
        as_of=AS_OF,
        shards=("ua",),
        tenants={
            "ua": Planned(shard="ua", due=(Due(action="train", reason="no model yet"),)),
            "dl": Planned(note="up to date"),
        },
    )
    text = plan_markdown(made)
    assert "1 of 2 tenants are due: train 1 tenant; 1 shard, about 0 CPU-seconds." in text
    assert "| train | 1 | no model yet | ua |" in text
    assert "| nothing | 1 | up to date | dl |" in text


def test_hostile_text_stays_text():
    header = Header(run="r1", product="p", as_of=AS_OF, shard="ua", stage="train")
    outcome = Outcome(stage="train", status="failed", message=HOSTILE)
    text = ledger_markdown(
        Ledger(header=header, entries=(Entry(tenant="ua", outcomes=(outcome,)),))
    )
    row = next(line for line in text.splitlines() if line.startswith("| ua"))
    assert r"\<script\>x\</script\> \| \`a\` \{\{\$.x\}\} \# head" in row


def test_a_stage_without_work_says_so():
    header = Header(run="r1", product="p", as_of=AS_OF, shard="ua", stage="train")
    assert "Nothing was due here." in ledger_markdown(Ledger(header=header, entries=()))
