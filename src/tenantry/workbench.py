"""The workbench: from a notebook to production, by the pipeline's own code.

A data scientist gets any tenant's frame as of a date, what the shipped candidates make of it, and
puts an estimator to the very gate of the pipeline, over many tenants at once:

    bench = Workbench("arrival-delay", as_of="2013-10-01", tenants=["fl", "vx"])
    bench.frame("vx")
    bench.candidates("vx")
    found = bench.compare(RandomForestClassifier(min_samples_leaf=20, random_state=7))
    found.table
    print(found.as_candidate("forest"))

It reads specs, sources and store; it writes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

import pandas as pd
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from tenantry.comparison import Comparison
from tenantry.contract import CheckedRows
from tenantry.erasure.suppression import read_suppressed
from tenantry.erasure.tombstones import read_marks
from tenantry.errors import Fault, ModelFileError, SpecError, TenantryError, TrainingError
from tenantry.evaluations import CHALLENGER, predictions_in, with_predictions
from tenantry.features.recipe import build_features, table_features
from tenantry.gate import Decision, Incumbent, decide
from tenantry.holdout import features_of, make_holdout
from tenantry.models.archive import pack
from tenantry.models.card import read_pooled_card
from tenantry.models.fitted import FittedModel
from tenantry.pooling import Zone, find_standing, first_spec, split_zones
from tenantry.settings import Settings, load_settings
from tenantry.sources.collect import collect_rows
from tenantry.sources.connections import load_connections
from tenantry.specs.faults import suggest
from tenantry.specs.load import load_product
from tenantry.specs.model import Spec
from tenantry.store.open import open_store
from tenantry.times import parse_moment
from tenantry.training.chain import Chain, load_chain
from tenantry.training.estimators import fit_estimator
from tenantry.training.folds import Spans
from tenantry.training.lessons import Lessons
from tenantry.training.pooled import contribution, fit_chain
from tenantry.training.tenant import Trained, train_tenant

_FRESH = Incumbent(age=timedelta(0))
"""As which the pipeline's own choice stands: others have to prove themselves."""


class _Trial(NamedTuple):
    """An estimator at one tenant's gate, and why its model could not be kept."""

    decision: Decision
    unkept: str


@dataclass
class Workbench:
    """A product's tenants as of a date.

    Attributes:
        product: The product, a folder of the specs.
        as_of: The logical time; nothing later is read. A date or a date-time, UTC.
        tenants: Whom to work with; all active ones when empty. Where the store holds no pooled
            model of that time, it is made of theirs.
        region: The home region to work in; empty where there is one only.
        settings: Where specs, sources and store are; the environment's when not given.

    Raises:
        SpecError: The specs are wrong, or do not know a tenant.
    """

    product: str
    as_of: str
    tenants: Iterable[str] = ()
    region: str = ""
    settings: Settings = field(default_factory=load_settings, repr=False)
    _rows: dict[str, CheckedRows] = field(default_factory=dict, init=False, repr=False)
    _lessons: dict[str, Lessons] = field(default_factory=dict, init=False, repr=False)
    _chains: dict[str, Chain | None] = field(default_factory=dict, init=False, repr=False)
    _trained: dict[str, Trained] = field(default_factory=dict, init=False, repr=False)
    _trials: dict[tuple[str, str, bool], _Trial] = field(
        default_factory=dict, init=False, repr=False
    )

    def __post_init__(self) -> None:
        self._moment = parse_moment(self.as_of)
        fleet = load_product(
            self.settings.specs, self.product, connections=self.settings.connections
        ).serving(self.region)
        self._connections = load_connections(self.settings.connections, self.settings.environ)
        self._store = open_store(self.settings, self.region)
        self._marks = read_marks(self._store, self.product)
        self._fleet = {n: one for n, one in fleet.specs.items() if n not in self._marks.tenants}
        active = [name for name, spec in self._fleet.items() if spec.state == "active"]
        self.specs = {name: self._known(name) for name in tuple(self.tenants) or active}
        self.tenants = tuple(self.specs)

    def _known(self, tenant: str) -> Spec:
        if tenant not in self._fleet:
            fault = f"{self.product} has no such tenant, or it was erased"
            raise SpecError([Fault(tenant, fault, suggest(tenant, self._fleet))])
        return self._fleet[tenant]

    def frame(self, tenant: str) -> pd.DataFrame:
        """Return a tenant's feature table: key, times, label and one column a feature.

        It is what the pipeline's `build_features` makes as of that date: labels that were not known
        by then are missing, and no feature knows more than was known when its row was.
        """
        return self._lesson(tenant).table.copy()

    def candidates(self, tenant: str) -> pd.DataFrame:
        """Return what the spec's candidates score on the validation span, by which is chosen.

        One row a candidate: its metrics, whether it is chosen, why it could not be fitted.
        """
        selection = self._train(tenant).selection
        spec = self.specs[tenant]
        rows = [
            {
                "candidate": name,
                **selection.scores.get(name, {}),
                "chosen": name == selection.recipe,
                "refused": selection.refused.get(name, ""),
            }
            for name in spec.model.candidates
        ]
        return pd.DataFrame(rows).set_index("candidate")

    def compare(
        self, estimator: BaseEstimator, tenants: Iterable[str] = (), *, stacked: bool = False
    ) -> Comparison:
        """Put an estimator to the gate against what the pipeline would choose, tenant by tenant.

        Both are fitted on what was known before the holdout and meet on the holdout's labelled
        rows: paired, days as blocks, slice floors and minimum evidence as the spec's gate has them.
        The pipeline's choice stands as a fresh champion. What was compared before is not again.

        Args:
            estimator: Any scikit-learn classifier (regressor), or a pipeline of a ColumnTransformer
                and one; see `training.estimators.fit_estimator`.
            tenants: Some of the workbench's; all when empty.
            stacked: Whether the estimator also sees the pooled model's score (`pooled_score`).
        """
        decisions, failures, unkept = {}, {}, ""
        for tenant in tuple(tenants) or tuple(self.tenants):
            try:
                trial = self._try(tenant, estimator, stacked=stacked)
                decisions[tenant] = (self._train(tenant).selection.recipe, trial.decision)
                unkept = unkept or trial.unkept
            except TenantryError as error:
                failures[tenant] = str(error)
        metric = first_spec(tuple(self.specs.values())).model.metric
        return Comparison(estimator, stacked, metric, decisions, failures, unkept)

    def _try(self, tenant: str, estimator: BaseEstimator, *, stacked: bool) -> _Trial:
        key = (tenant, estimator.__repr__(N_CHAR_MAX=10**9), stacked)
        if key not in self._trials:
            with threadpool_limits(1):
                model = self._fit(tenant, estimator, stacked=stacked)
                self._trials[key] = _Trial(self._judge(tenant, model), _why_unkept(model))
        return self._trials[key]

    def _fit(self, tenant: str, estimator: BaseEstimator, *, stacked: bool) -> FittedModel:
        spans = Spans.of(self.specs[tenant], self._moment)
        material = self._lesson(tenant).until(spans.holdout)
        if not len(material.label):
            msg = "no label was known before the holdout"
            raise TrainingError(msg)
        return fit_estimator("estimator", material, estimator, stacked=stacked)

    def _judge(self, tenant: str, model: FittedModel) -> Decision:
        lessons, spec = self._lesson(tenant), self.specs[tenant]
        spans = Spans.of(spec, self._moment)
        evaluation = self._train(tenant).evaluation
        predicted = lessons.predict(model, lessons.held_out(spans))
        holdout = make_holdout(
            with_predictions(evaluation, CHALLENGER, predicted),
            features_of(evaluation, lessons.table, spec),
            {"champion": predictions_in(evaluation, CHALLENGER)},
            spec,
        )
        return decide(holdout, _FRESH, gate=spec.gate, model=spec.model)

    def _train(self, tenant: str) -> Trained:
        """Do for a tenant what the pipeline's `train` does."""
        if tenant not in self._trained:
            lessons = self._lesson(tenant)
            with threadpool_limits(1):
                self._trained[tenant] = train_tenant(lessons, self._moment)
        return self._trained[tenant]

    def _lesson(self, tenant: str) -> Lessons:
        if tenant not in self._lessons:
            spec = self.specs[tenant]
            table = build_features(self._collect(spec).rows, table_features(spec), spec)
            chain = self._chain(spec.residency.zone) if spec.pooling.receive else None
            self._lessons[tenant] = Lessons(table, spec, chain)
        return self._lessons[tenant]

    def _collect(self, spec: Spec) -> CheckedRows:
        """Read a tenant's rows as `ingest` does, without those that were erased."""
        if spec.tenant not in self._rows:
            has_erasures = spec.tenant in self._marks.rows
            suppressed = (
                read_suppressed(self._store, self.product, spec.tenant) if has_erasures else None
            )
            self._rows[spec.tenant] = collect_rows(
                spec, self._connections, self._moment, suppressed=suppressed
            )
        return self._rows[spec.tenant]

    def _chain(self, zone: str) -> Chain | None:
        """Return the zone's pooled model and folds; None where nothing can be pooled."""
        if zone not in self._chains:
            with threadpool_limits(1):
                self._chains[zone] = self._pool(zone)
        return self._chains[zone]

    def _pool(self, name: str) -> Chain | None:
        whole, ours = (self._zone(name, specs) for specs in (self._fleet, self.specs))
        standing = find_standing(whole, self._store)
        if standing.reign is not None and standing.is_usable:
            card = read_pooled_card(self._store, self.product, name, standing.reign.version)
            return load_chain(self._store, card)
        given = [
            contribution(self._collect(spec).rows, spec, self._moment) for spec in ours.contributing
        ]
        cap = first_spec(ours.specs).pooled.max_rows
        return fit_chain(given, ours.specs, self._moment, cap)

    def _zone(self, name: str, specs: Mapping[str, Spec]) -> Zone:
        zones = split_zones(specs.values(), self._moment)
        return next(zone for zone in zones if zone.name == name)


def _why_unkept(model: FittedModel) -> str:
    """Return why the store would refuse the model; empty when it would not."""
    try:
        pack({"own": model.own})
    except ModelFileError as error:
        return str(error)
    return ""
