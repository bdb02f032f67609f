"""What became of an estimator at the gate, tenant by tenant."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from tenantry.candidate_source import CandidateSource, write_candidate
from tenantry.errors import ModelFileError
from tenantry.figures import TITLES, figure
from tenantry.gate import Decision


@dataclass(frozen=True)
class Comparison:
    """An estimator at the gate, tenant by tenant.

    Attributes:
        estimator: What was compared.
        stacked: Whether it also saw the pooled model's score.
        metric: What was compared by; lower is better.
        decisions: Tenant → the gate's decision, and the recipe that it was compared with.
        failures: Tenant → why there is no decision.
        unkept: Why the store would refuse such a model; empty when it would not.
    """

    estimator: BaseEstimator
    stacked: bool
    metric: str
    decisions: dict[str, tuple[str, Decision]]
    failures: dict[str, str]
    unkept: str = ""

    @property
    def table(self) -> pd.DataFrame:
        """One row a tenant: rows, days, both scores, gain and interval, decision."""
        names = ("rows", "days", "challenger_score", "rival_score", "gain", "gain_low", "gain_high")
        rows = [
            {"tenant": tenant, "against": recipe}
            | {name: decision.evidence.get(name) for name in names}
            | {"promoted": decision.promote, "decision": decision.sentence}
            for tenant, (recipe, decision) in self.decisions.items()
        ]
        columns = ("tenant", "against", *names, "promoted", "decision")
        table = pd.DataFrame(rows, columns=list(columns)).set_index("tenant")
        return table.rename(
            columns={"challenger_score": "score", "rival_score": "score of against"}
        )

    @property
    def sentence(self) -> str:
        """The comparison in one sentence."""
        decided = [decision for _, decision in self.decisions.values()]
        gains = [float(one.evidence["gain"] or 0.0) for one in decided if "gain" in one.evidence]
        promoted = sum(one.promote for one in decided)
        said = f"promoted for {promoted} of {len(decided)} tenants"
        if gains:
            title = TITLES.get(self.metric, self.metric)
            said += f"; mean gain in {title} {figure(float(np.mean(gains)))} over {len(gains)}"
        failed = f"; no decision for {', '.join(self.failures)}" if self.failures else ""
        kept = f"; its models could not be kept: {self.unkept}" if self.unkept else ""
        return said + failed + kept

    def as_candidate(self, name: str, *, module: str = "workbench_candidates") -> CandidateSource:
        """Write the estimator as a candidate of others' making; see `write_candidate`.

        Raises:
            ValueError: It cannot be written as source, or it is stacked: only the library's own
                recipes may be.
            ModelFileError: The store would refuse its models.
        """
        if self.unkept:
            raise ModelFileError(self.unkept)
        if self.stacked:
            msg = (
                "a stacked estimator can only be a recipe of the library's own: see docs/models.md"
            )
            raise ValueError(msg)
        return write_candidate(name, self.estimator, module=module)
