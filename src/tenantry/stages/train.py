"""Train a tenant's challenger: choose among the candidates, judge on the holdout, fit, save."""

from collections.abc import Iterable

from tenantry import layout
from tenantry.digests import digest
from tenantry.errors import TrainingError
from tenantry.evaluations import CHALLENGER
from tenantry.features.tables import read_features
from tenantry.jobs import Job, Result
from tenantry.ledger import Scalar
from tenantry.models.card import Card, PooledCard, PooledPart
from tenantry.models.files import save_model
from tenantry.parquet import to_parquet
from tenantry.rules import settle_rules
from tenantry.specs.model import Spec
from tenantry.training.chain import load_chain
from tenantry.training.lessons import Lessons
from tenantry.training.numbers import learn_names
from tenantry.training.rehearsal import rehearse
from tenantry.training.tenant import Trained, train_tenant


def preload(specs: Iterable[Spec]) -> None:
    """Do once, before workers are forked, what fitting and saving import late or learn of names."""
    rehearse()
    learn_names(tuple(spec.features) for spec in specs)


def train(job: Job) -> Result:
    """Train the challenger of a tenant that is due.

    Reads the feature table that `build_features` recorded and the pooled model of the tenant's
    zone, if it may receive it. Leaves ``models/<version>/`` with the model, its card and
    ``evaluation.parquet``: the holdout, predicted by models that saw nothing of it.

    Args:
        job: The tenant, with the outcome of `build_features` in its entry.

    Returns:
        Facts: `challenger` (version), `recipe`, `rows`, `positives`, and the challenger's metric on
        the holdout; `fell_back` when there was too little for a model of the tenant's own.

    Raises:
        TrainingError: No feature table, or nothing can be fitted.
        ModelFileError: The pooled model's files are not what its card says.
    """
    sha = job.entry.fact("build_features", "features")
    if not isinstance(sha, str):
        msg = f"{job.tenant}: there is no feature table; run build_features first"
        raise TrainingError(msg)
    table = read_features(job.store, job.product, job.tenant, sha)
    pooled = job.read_pooled_card()
    chain = load_chain(job.store, pooled) if pooled else None
    trained = train_tenant(Lessons(table, job.spec, chain), job.as_of)
    card = save_model(job.store, trained.model, _card(job, trained, pooled))
    folder = layout.model_folder(job.product, job.tenant, card.version)
    job.store.put(f"{folder}evaluation.parquet", to_parquet(trained.evaluation))
    names = ("model.skops", "card.json", "evaluation.parquet")
    return Result(
        message=trained.selection.sentence,
        status="fell_back" if trained.fell_back else "done",
        facts=_facts(card),
        keys=tuple(f"{folder}{name}" for name in names),
    )


def _facts(card: Card) -> dict[str, Scalar]:
    facts: dict[str, Scalar] = {
        "challenger": card.version,
        "recipe": card.recipe,
        "rows": card.rows,
        "positives": card.positives,
    }
    promised = card.holdout.get(CHALLENGER, {}).get(card.metric)
    return facts if promised is None else facts | {card.metric: promised}


def _card(job: Job, trained: Trained, pooled: PooledCard | None) -> Card:
    model, spec = trained.model, job.spec
    part = None
    if pooled is not None and model.pooled is not None:
        part = PooledPart(zone=pooled.zone, version=pooled.version, digest=pooled.file_digest)
    rules = settle_rules(spec, trained.evaluation)
    return Card(
        product=job.product,
        tenant=job.tenant,
        as_of=job.as_of,
        trained_until=job.as_of,
        recipe=model.recipe,
        task=model.task,
        classes=model.classes,
        form=model.form,
        weight=model.weight,
        slope=model.slope,
        intercept=model.intercept,
        pooled=part,
        weighed=f"{pooled.zone}/{pooled.version}" if pooled else "",
        training_digest=spec.training_digest,
        spec_digest=digest(spec.model_dump(mode="json")),
        snapshot=str(job.entry.fact("ingest", "snapshot") or ""),
        features=str(job.entry.fact("build_features", "features")),
        seed=spec.model.seed,
        code_version=job.code_version,
        rows=trained.rows,
        positives=trained.positives,
        first_event=trained.span[0] if trained.span else None,
        last_event=trained.span[1] if trained.span else None,
        metric=spec.model.metric,
        selection=trained.selection.sentence,
        refused=trained.selection.refused,
        scores=trained.selection.scores,
        holdout=trained.holdout,
        holdout_rows=len(trained.evaluation),
        threshold=rules.threshold,
        interval=(rules.interval.low, rules.interval.high) if rules.interval else None,
        dropped=trained.dropped,
        slices=trained.slices,
    )
