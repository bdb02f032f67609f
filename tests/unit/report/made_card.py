"""A model whose card has all parts: better here, worse there, with rows too few to say."""

from datetime import timedelta

from tenantry.models.card import Slice
from tenantry.stages.promote import promote
from tests.unit.stages.tenancy import SEPTEMBER, Tenancy
from tests.unit.tiny_fleet import AS_OF, FEATURES, make_spec

WORDS = {
    "wind": {"kind": "numeric", "title": "wind at the airport", "unit": "mph"},
    "dest": {"kind": "categorical", "title": "to"},
}


def promoted(tenancy, noise=0.0):
    """Put a challenger to the gate over an older champion; return its version."""
    tenancy.crown(tenancy.train(SEPTEMBER - timedelta(days=40), noise=0.5))
    tenancy.pooled = tenancy.pool()
    card = tenancy.train(AS_OF, noise=noise)
    found = card.model_copy(
        update={
            "scores": {"logistic": {"log_loss": 0.41, "roc_auc": 0.7}},
            "refused": {"stacked": "there is no pooled model"},
            "selection": "logistic: log loss .4100 on 300 later rows",
            "holdout": {"challenger": {"log_loss": 0.4, "roc_auc": 0.71}, "prior": {}},
            "holdout_rows": 260,
            "positives": 300,
            "slices": (
                Slice(feature="dest", value="ORD", rows=60, metrics={"log_loss": 0.6},
                      pooled=0.5, gain_low=-0.2, gain_high=-0.01),
                Slice(feature="dest", value="LAX", rows=90, metrics={"log_loss": 0.4},
                      pooled=0.42, gain_low=0.01, gain_high=0.03),
                Slice(feature="dest", value="ANC", rows=3),
            ),
        }
    )  # fmt: skip
    key = f"tenants/arrival-delay/ua/models/{card.version}/card.json"
    tenancy.store.put(key, found.to_json())
    promote(tenancy.promote_job(AS_OF, card))
    return card.version


def make_tenancy():
    """Make a tenant with titles and units in its spec."""
    spec = make_spec(
        features=FEATURES | WORDS,
        label={"column": "arr_delay", "above": 15, "title": "arrives late"},
        description="An airline",
    )
    return Tenancy(spec=spec)
