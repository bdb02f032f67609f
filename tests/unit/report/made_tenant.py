"""A tenant with a year of judged windows; `python -m tests.unit.report.made_tenant FILE`."""

import sys
from datetime import timedelta
from pathlib import Path

from tenantry.champions import Champion
from tenantry.monitoring.judgements import Shift
from tenantry.monitoring.memory import Feed
from tenantry.report.tenant_facts import TenantFacts
from tests.unit.monitoring.watched import make_spec
from tests.unit.report.made_fleet import (
    AS_OF,
    BEFORE,
    WINDOWS,
    make_judgement,
    make_past,
    make_reign,
)

STREAMS = (
    "distance", "origin", "destination", "hour", "weekday", "wind_speed", "wind_gust", "visibility",
    "precipitation", "congestion",
)  # fmt: skip

FEED = Feed(rows=1112, late=20, unscored=12, silence=1.5, changes=("a.b was x, is y",))


def make_facts(*, spec=None, weeks=51, **changes):
    """Make what is known of a tenant whose model decayed and was replaced."""
    quiet = tuple(
        Shift(
            name=name, kind="data", effect=n / 90, p_value=0.9 - n / 12, evidence=1, drifted=False
        )
        for n, name in enumerate(STREAMS)
    )
    moved = Shift(name="temp", kind="data", effect=0.41, p_value=1e-8, evidence=5e3, drifted=True,
                  missing=0.12, missing_before=0.002)  # fmt: skip
    others = (
        Shift(name="label", kind="label", effect=0.02, p_value=0.3, evidence=2, drifted=False),
        Shift(
            name="rows", kind="volume", effect=None, p_value=None, evidence=0, drifted=False,
            note="too few past windows",
        ),
    )  # fmt: skip
    judgement = make_judgement("vx", WINDOWS[-1], status="decayed").model_copy(
        update={
            "history": make_past("vx", 3, weeks),
            "drift": (moved, *quiet, *others),
            "expected": 0.43,
            "feed": Feed(
                rows=1112, late=20, unscored=12, silence=1.5, changes=("a.b was x, is y",)
            ),
        }
        | changes
    )
    asked = tuple(
        make_judgement("vx", window, status=status).model_copy(
            update={"as_of": window.end + timedelta(days=3)}
        )
        for window, status in zip(
            WINDOWS, ("drifted", "decayed", "drifted", "decayed"), strict=True
        )
    )
    old = make_reign("vx", BEFORE - timedelta(days=91), 0.42)
    reigns = (old, make_reign("vx", BEFORE, 0.41), make_reign("vx", AS_OF, 0.4))
    return TenantFacts(
        spec=spec or make_spec(),
        judgement=judgement,
        asked=asked,
        champion=Champion(counter=3, reigns=reigns),
        has_report=True,
    )


if __name__ == "__main__":
    from tenantry.report.tenant_page import render_tenant_page

    Path(sys.argv[1]).write_text(render_tenant_page(make_facts()), encoding="utf-8")
