"""A fleet of 16 carriers as a run left it: most went well, some fell back, failed or are unknown.

`python -m tests.unit.report.made_fleet FILE` writes its page, to be looked at.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tenantry import layout
from tenantry.champions import Reign
from tenantry.crowning import crown
from tenantry.fleet import read_fleet
from tenantry.ledger import STAGES, Cost, Due, Entry, Header, Ledger, Outcome
from tenantry.monitoring.history import Judged
from tenantry.monitoring.judgements import Judgement, Quality, Shift, write_judgement
from tenantry.plans import Planned, RunPlan
from tenantry.promises import Promise, Promises
from tenantry.times import Window, compact
from tests.unit.memory_store import MemoryStore

PRODUCT = "arrival-delay"
RUN = "fleet-2013-11-01"
BEFORE = datetime(2013, 10, 1, tzinfo=UTC)
AS_OF = datetime(2013, 11, 1, tzinfo=UTC)
WINDOWS = tuple(
    Window(BEFORE + timedelta(days=7 * n), BEFORE + timedelta(days=7 * n + 7)) for n in range(4)
)
ROWS = {
    "ua": 4984, "b6": 4418, "ev": 4395, "dl": 4093, "aa": 2715, "mq": 2206, "us": 1846, "9e": 1620,
    "wn": 1035, "vx": 436, "fl": 236, "as": 62, "f9": 57, "yv": 53, "ha": 21, "oo": 6,
}  # fmt: skip
DEAD = ("as", "f9")
"""Tenants of the shard that died in predict."""

RETRAINED = "last trained as of 2013-10-01T00:00:00Z, train.every is 28d"


def version(tenant, moment):
    """Make a model's version."""
    return f"{compact(moment)}-{(tenant * 6)[:12]}"


def make_reign(tenant, moment, score, recipe="logistic", gate=""):
    """Make a reign with the gate's evidence."""
    return Reign(
        since=moment,
        version=version(tenant, moment),
        digest="d" * 64,
        trained_until=moment,
        training_digest="t" * 64,
        recipe=recipe,
        gate=gate or "promoted as first model: log loss .412 against .431 of the pooled model",
        evidence={"metric": "log_loss", "challenger_score": score, "rows": 4121},
        run="fleet-2013-10-01",
    )


def make_due(tenant):
    """Make what is due of a tenant."""
    ids = tuple(window.id for window in WINDOWS)
    reason = "judged as decayed: log loss is worse than promised" if tenant == "vx" else RETRAINED
    return (
        Due(action="train", reason=reason),
        Due(action="predict", reason="4 windows are not yet predicted", windows=ids),
        Due(action="monitor", reason="their labels are known by now", windows=ids),
    )


def make_outcomes(tenant, rows):
    """Make what the stages did of a tenant, those after a failure left out."""
    folder = f"{layout.tenant_folder(PRODUCT, tenant)}"
    model = version(tenant, AS_OF)
    is_new = tenant in ("ua", "vx", "ev")
    poor = tenant in ("ha", "oo")
    seconds = {name: share * (0.4 + rows / 900) for name, share in SHARES.items()}
    facts = {
        "ingest": {"rows": rows * 9, "snapshot": "5" * 64},
        "build_features": {"features": "f" * 64},
        "train": {"challenger": model, "recipe": "pooled" if poor else "logistic"},
        "promote": {"promoted": is_new, "gain": 0.004},
        "predict": {"windows": 4, "rows": rows},
        "monitor": {"judged": 4, "rows": rows, "too_late": 2, "realised": 0.43, "promised": 0.41},
    }
    messages = {
        "ingest": f"{rows * 9:,} rows, 12 set aside: air_time is missing",
        "build_features": "18 features",
        "train": "too few labelled rows (31, 200 needed): the pooled model is used"
        if poor
        else "logistic by .006 over pooled on the validation span",
        "promote": "promoted: log loss .401 against .412"
        if is_new
        else "kept the champion: the "
        "gain is not clear of .000: log loss .409 against .411 (gain .002, 95 % -.003 to .006)",
        "predict": f"4 windows, {rows:,} rows, {rows // 6:,} decided",
        "monitor": "4 windows: 3 as promised, 1 worse than promised.",
    }
    keys = {
        "train": (f"{folder}models/{model}/card.json", f"{folder}models/{model}/model.skops"),
        "predict": tuple(
            f"{layout.prediction_folder(PRODUCT, tenant, w, f'{model}-555555555555')}receipt.json"
            for w in WINDOWS
        ),
        "monitor": (
            *(layout.judgement(PRODUCT, tenant, window) for window in WINDOWS),
            layout.drift_report(PRODUCT, tenant, WINDOWS[-1]),
        ),
    }
    return tuple(
        Outcome(
            stage=stage,
            status="fell_back" if poor and stage == "train" else "done",
            message=messages[stage],
            facts=facts[stage],
            keys=keys.get(stage, ()),
            cost=Cost(cpu_seconds=round(seconds[stage], 3), wall_seconds=1.0),
        )
        for stage in STAGES
    )


SHARES = {
    "ingest": 0.9, "build_features": 0.6, "train": 1.6, "promote": 0.3, "predict": 0.5,
    "monitor": 0.7,
}  # fmt: skip

FAILURES = {
    "yv": Outcome(
        stage="ingest",
        status="failed",
        kind="ContractError",
        message="arrival-delay/yv: distance: 31 % of the values are no numbers, 20 % allowed; "
        "see quarantine.parquet, then correct the source or contract.max_quarantined_share\n"
        "arrival-delay/yv: wind_gust: missing in every row; take it off the contract",
        cost=Cost(cpu_seconds=0.31),
    ),
    "fl": Outcome(
        stage="train",
        status="failed",
        kind="TrainingError",
        message="all 1,204 labels are 0; wait for more data or check label.above",
        cost=Cost(cpu_seconds=0.52),
    ),
}


def make_entry(tenant, rows):
    """Make a tenant's line in the last ledger of its shard."""
    outcomes = make_outcomes(tenant, rows)
    if tenant == "yv":
        outcomes = (FAILURES["yv"],)
    if tenant == "fl":
        outcomes = (*outcomes[:2], FAILURES["fl"], *outcomes[4:])
    if tenant in DEAD:
        outcomes = outcomes[:4]
    return Entry(tenant=tenant, due=make_due(tenant), outcomes=outcomes)


def make_judgement(tenant, window, *, status="ok", promised=0.41):
    """Make the judgement of a window."""
    realised = 0.52 if status == "decayed" else 0.418
    return Judgement(
        product=PRODUCT,
        tenant=tenant,
        window=window.id,
        as_of=AS_OF,
        run=RUN,
        model=version(tenant, BEFORE),
        status=status,
        sentence=SENTENCES[status],
        action={"decayed": "retrain", "drifted": "tell"}.get(status, "none"),
        rows=1100,
        labelled=1090,
        quality=None
        if status == "too_small"
        else Quality(
            metric="log_loss",
            realised=realised,
            low=realised - 0.04,
            high=realised + 0.04,
            promised=promised,
            auc=0.71,
            mean_prediction=0.21,
            mean_label=0.2,
            blocks=7,
        ),
        drift=(TEMP,) if status == "drifted" else (),
    )


TEMP = Shift(name="temp", kind="data", effect=0.41, p_value=1e-8, evidence=5200.0, drifted=True)
SENTENCES = {
    "ok": "As promised: log loss .418 (.378 to .458) against the promised .410. Nothing drifted.",
    "decayed": "Decayed: log loss .520 (.480 to .560) against the promised .410 (evidence 96, 40 is"
    " enough). Nothing drifted. It is to be trained again (monitor.on_decay: retrain).",
    "drifted": "As promised: log loss .418 (.378 to .458) against the promised .410. Drifted: temp "
    "by 0.41, of 21 that are watched. It is told, nothing is done (monitor.on_drift: tell).",
    "too_small": "6 labelled rows of 6, 100 are needed to judge quality.",
}


def make_fleet(store=None, *, rows=None, failing=True, weeks=29):
    """Leave in a store what a run over the carriers leaves, without data and models."""
    store = store or MemoryStore()
    rows = rows or ROWS
    entries = {tenant: make_entry(tenant, rows[tenant]) for tenant in rows}
    if not failing:
        entries = {
            tenant: Entry(tenant=tenant, due=make_due(tenant), outcomes=make_outcomes(tenant, n))
            for tenant, n in rows.items()
        }
    shards = {
        "large": [t for t in rows if rows[t] >= 1000],
        "small": [t for t in rows if rows[t] < 1000 and t not in DEAD],
        "dead": [t for t in rows if t in DEAD],
    }
    for shard, tenants in shards.items():
        stage = "promote" if shard == "dead" and failing else "monitor"
        header = Header(
            run=RUN,
            product=PRODUCT,
            as_of=AS_OF,
            shard=shard,
            stage=stage,
            zones={"default": "20131101T000000Z-9f8e7d6c5b4a"},
        )
        ledger = Ledger(header=header, entries=tuple(entries[tenant] for tenant in tenants))
        store.put(layout.ledger(RUN, shard, stage), ledger.to_lines())
    planned = {
        tenant: Planned(
            shard=shard,
            due=entries[tenant].due,
            region="newark",
            rows=rows[tenant],
            promises=make_promises(tenant),
        )
        for shard, tenants in shards.items()
        for tenant in tenants
    }
    planned["tz"] = Planned(note="paused since its spec says so: nothing is due", region="newark")
    plan = RunPlan(
        run=RUN,
        product=PRODUCT,
        title="Flights that arrive more than 15 minutes late",
        as_of=AS_OF,
        shards=tuple(shards),
        tenants=planned,
    )
    store.put(layout.plan(RUN), plan.to_json())
    for n, tenant in enumerate(rows):
        leave_history(store, tenant, n, weeks)
    return store


def make_promises(tenant):
    """Make how a tenant's promises were kept over 90 days: one overspent, one is broken now."""
    late, old = {"yv": (3, 0), "fl": (0, 30)}.get(tenant, (0, 0))
    return Promises(
        predictions=Promise(total=13, missed=late, allowed=0.65, broken=tenant == "yv"),
        model=Promise(total=2160, missed=old, allowed=108, broken=tenant == "fl"),
    )


def leave_history(store, tenant, n, weeks):
    """Leave the champions and the last judgement of a tenant."""
    poor = tenant in ("ha", "oo", "as")
    if tenant != "yv":
        recipe = "pooled" if poor else ("stacked", "logistic", "boosted")[n % 3]
        crown(store, PRODUCT, tenant, make_reign(tenant, BEFORE, 0.39 + n / 100, recipe))
    if tenant in ("ua", "vx", "ev"):
        gate = (
            "promoted: log loss .401 against .412 of the champion on 4,121 rows of 28 days "
            "(gain .011, 95 % .004 to .018)"
        )
        crown(store, PRODUCT, tenant, make_reign(tenant, AS_OF, 0.38 + n / 100, gate=gate))
    status = {"vx": "decayed", "b6": "drifted", "oo": "too_small"}.get(tenant, "ok")
    if tenant not in ("yv", *DEAD):
        last = make_judgement(tenant, WINDOWS[-1], status=status)
        write_judgement(store, last.model_copy(update={"history": make_past(tenant, n, weeks)}))


def make_past(tenant, n, weeks):
    """Make the weeks before the last one: some decay, some drift, one event of many tenants."""
    return tuple(
        make_week(tenant, Window(start, start + timedelta(days=7)), seed=31 * n + ago)
        for ago in range(weeks, 0, -1)
        for start in [WINDOWS[-1].start - timedelta(days=7 * ago)]
        if ago + n != 20
    )


def make_week(tenant, window, seed):
    """Make a week in short; `seed` decides how it was."""
    small = tenant in ("ha", "oo", "as")
    is_event = window.start.month == 7 and window.start.day < 8 and seed % 2
    decayed = tenant in ("vx", "mq") and seed % 9 < 2
    realised = 0.42 + 0.03 * ((seed * 7) % 11 - 5) / 5 + 0.09 * decayed
    status = "decayed" if decayed else "drifted" if is_event or seed % 23 == 0 else "ok"
    return Judged(
        window=window.id,
        status="too_small" if small else status,
        model=version(tenant, BEFORE if window.start >= BEFORE else BEFORE - timedelta(days=91)),
        action="none" if small or status == "ok" else "retrain" if decayed else "tell",
        rows=900 + (seed * 37) % 400,
        labelled=890 + (seed * 37) % 390,
        realised=None if small else realised,
        low=None if small else realised - 0.04,
        high=None if small else realised + 0.04,
        promised=None if small else 0.41,
        drifted=("temp", "wind_gust") if is_event else ("temp",) if status == "drifted" else (),
    )


if __name__ == "__main__":
    from tenantry.report.page import render_page

    state = read_fleet(make_fleet(), RUN)
    Path(sys.argv[1]).write_text(render_page(state, "FAILED"), encoding="utf-8")
