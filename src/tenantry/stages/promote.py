"""Compare challenger and champion on the same later rows, apply the gate, move the pointer."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from tenantry import layout
from tenantry.appraisal import appraise
from tenantry.champions import Reign, describe_pin
from tenantry.columns import LABEL
from tenantry.crowning import Seen, crown, see_champion
from tenantry.curves import Curves, curves_key
from tenantry.decisions import (
    champion_facts,
    decisions_now,
    describe_revocation,
    find_standing,
    hold,
    make_event,
    make_result,
    next_turn,
    retire,
)
from tenantry.evaluations import CHALLENGER, predictions_in, with_predictions
from tenantry.events import Event, append_event, write_event
from tenantry.features.tables import read_features
from tenantry.gate import Decision, decide
from tenantry.holdout import against_alternatives, against_champion, describe
from tenantry.jobs import Job, Result
from tenantry.models.card import Card
from tenantry.models.files import load_model
from tenantry.models.fitted import FittedModel
from tenantry.models.pooled import mark_champion
from tenantry.packed.save import Packed, save_packed
from tenantry.parquet import from_parquet
from tenantry.registry.decay import roll_back
from tenantry.report.model_card import card_page_key, load_template, render_model_card
from tenantry.report.model_facts import ModelFacts, read_model_facts, tell_model
from tenantry.rules import settle_rules
from tenantry.specs.model import Spec
from tenantry.training.fallback import save_fallback
from tenantry.training.rehearsal import rehearse


def preload(_: Iterable[Spec]) -> None:
    """Read the card's page once, and import what is imported late, before workers are forked."""
    load_template()
    rehearse()


@dataclass(frozen=True)
class _Case:
    """What a decision is made from.

    Attributes:
        job: The tenant.
        model: The challenger.
        card: Its card.
        table: The feature table.
        evaluation: The labelled rows of the holdout, with predictions.
        reign: The champion's, as of the run; None before the first.
        turn: Which decision of this moment it is.
        over: Who reigns by the pointer as it is, even one whose files were withdrawn.
        tainted: Why the champion has to go whatever the challenger is worth; empty when it has not.
        seen: The pointer as it is; None before the first champion.
    """

    job: Job
    model: FittedModel
    card: Card
    table: pd.DataFrame
    evaluation: pd.DataFrame
    reign: Reign | None
    turn: int
    over: Reign | None = None
    tainted: str = ""
    seen: Seen | None = None


@dataclass(frozen=True)
class _Judged:
    """A model as the run knows it now.

    Attributes:
        card: Its card.
        packed: What became of packing it.
        curves: Its curves and drivers.
        evaluation: The holdout, with its predictions as the challenger's.
    """

    card: Card
    packed: Packed
    curves: Curves
    evaluation: pd.DataFrame

    def facts(self, spec: Spec, decision: Event) -> ModelFacts:
        """Return what its page tells."""
        return tell_model(
            spec,
            self.card,
            curves=self.curves,
            decision=decision,
            evaluation=self.evaluation,
        )


class _Recorded(NamedTuple):
    """What a decision left: the keys of page and event, and whether the event was not there."""

    keys: tuple[str, str]
    is_new: bool


def promote(job: Job) -> Result:
    """Decide on a tenant's challenger; or archive a tenant that is to be retired.

    Leaves ``metrics.json`` and ``card.html`` beside the challenger, an event for the decision, and
    the champion's pointer moved when the challenger won. A first challenger that is worse than the
    pooled model or the base rate is not crowned: one of these is saved as a version of the tenant's
    own and crowned instead. A decision that was made before at this `as_of` stands; so does a
    person's: a pinned champion stays, and a model that was rolled back by then is not crowned
    again. Where a rollback is due, nothing was trained.

    Raises:
        RegistryError: A rollback is due that cannot be made: the model's files are gone.
        ChampionMovedError: The champion was pinned, restored or crowned meanwhile: decide again.
        ModelFileError: A model's file is missing, or is not what its pointer says.
    """
    made = decisions_now(job)
    seen = see_champion(job.store, job.product, job.tenant)
    champion = seen.champion if seen else None
    usable = mark_champion(job.store, job.product, champion) if champion else None
    known = usable.until(job.as_of) if usable else None
    reign = known.current if known else None
    if job.entry.due_for("retire") or job.entry.due_for("rollback"):
        return _follow(job, reign)
    challenger = job.entry.fact("train", "challenger")
    if not isinstance(challenger, str):
        message = f"no challenger; {reign.version} stays" if reign else "no challenger"
        return Result(message, facts={"promoted": False} | champion_facts(reign))
    if known is not None and challenger in known.revoked_versions:
        return hold(job, challenger, reign, made, describe_revocation(known, challenger))
    standing = find_standing(job, challenger, reign, made)
    if standing and not (usable and usable.is_marked(challenger)):
        keys = tuple(key for event in standing for key in _record_again(job, event))
        return make_result(standing[-1], reign, keys)
    if champion is not None and champion.pin is not None:
        return hold(job, challenger, reign, made, f"it is {describe_pin(champion.pin)}")
    case = _load(job, challenger, reign, turn=next_turn(job, reign, made))
    tainted = known.tainted.get(known.current.version, "") if known else ""
    over = champion.as_of(job.as_of) if champion else None
    return _decide(replace(case, over=over, tainted=tainted, seen=seen))


def _follow(job: Job, reign: Reign | None) -> Result:
    """Do what the plan says, where there is nothing to decide."""
    order = job.entry.due_for("rollback")
    return roll_back(job, order) if order else retire(job, reign)


# --- a new decision -------------------------------------------------------------------------------


def _load(job: Job, challenger: str, reign: Reign | None, *, turn: int) -> _Case:
    model, card = load_model(job.store, job.product, job.tenant, challenger)
    features = str(job.entry.fact("build_features", "features"))
    folder = layout.model_folder(job.product, job.tenant, challenger)
    return _Case(
        job=job,
        model=model,
        card=card,
        table=read_features(job.store, job.product, job.tenant, features),
        evaluation=from_parquet(job.store.get(f"{folder}evaluation.parquet").content),
        reign=reign,
        turn=turn,
    )


def _decide(case: _Case) -> Result:
    job, version = case.job, case.card.version
    decision = _compare(case)
    decision = replace(decision, evidence=decision.evidence | {"challenger": version})
    is_served = decision.promote or job.spec.serving.challenger is not None
    judged = _judge(case, case.model, case.card, CHALLENGER, is_served=is_served)
    crowned = judged if decision.promote else _save_fallback(case, decision)
    reign = _crown(case, crowned.card, crowned.packed, decision) if crowned else case.reign
    told = []
    if crowned is not None:
        event = make_event(job, "promoted", crowned.card.version, decision, turn=case.turn)
        told.append((event, crowned))
    if not decision.promote:
        told.append((make_event(job, "kept", version, decision, turn=case.turn), judged))
    records = [_record(job, event, one.facts(job.spec, event)) for event, one in told]
    keys = (_curves_key(case.card), *(key for record in records for key in record.keys))
    return make_result(told[-1][0], reign, keys, is_new=records[-1].is_new)


def _compare(case: _Case) -> Decision:
    spec, job = case.job.spec, case.job
    if case.reign is None or case.tainted:
        holdout = against_alternatives(case.evaluation, case.table, spec)
        decision = decide(holdout, None, gate=spec.gate, model=spec.model)
        why = f"the champion has to go, {case.tainted}: " if case.tainted else ""
        return replace(decision, sentence=why + decision.sentence)
    champion, _ = load_model(
        job.store, job.product, job.tenant, case.reign.version, file_digest=case.reign.digest
    )
    holdout, unable = against_champion(case.evaluation, case.table, champion, case.reign, spec)
    incumbent = describe(case.reign, spec, job.as_of, unable=unable)
    return decide(holdout, incumbent, gate=spec.gate, model=spec.model)


def _save_fallback(case: _Case, decision: Decision) -> _Judged | None:
    """Save the model that is to reign in the challenger's place; None when the champion stays."""
    if decision.choice not in ("pooled", "prior"):
        return None
    model, card = save_fallback(
        case.job.store,
        case.job.spec,
        case.table,
        choice=decision.choice,
        challenger=case.card,
        evaluation=case.evaluation,
        pooled=case.job.read_pooled_card(),
    )
    return _judge(case, model, card, decision.choice, is_served=True)


def _crown(case: _Case, card: Card, packed: Packed, decision: Decision) -> Reign:
    """Let a model reign from the run's moment on; return the reign as of that moment."""
    job = case.job
    reign = Reign(
        since=job.as_of,
        version=card.version,
        digest=card.file_digest,
        packed=packed.digest,
        trained_until=card.trained_until,
        training_digest=card.training_digest,
        recipe=card.recipe,
        gate=decision.sentence,
        evidence=decision.evidence,
        run=job.run,
        turn=case.turn,
        previous=case.reign.version if case.reign else "",
        pooled=f"{card.pooled.zone}/{card.pooled.version}" if card.pooled else "",
    )
    place, is_first = (job.store, job.product, job.tenant), case.over is None
    champion = crown(*place, reign, over=case.over, is_first=is_first, seen=case.seen)
    return champion.as_of(job.as_of) or reign


def _record(job: Job, event: Event, facts: ModelFacts) -> _Recorded:
    """Leave the model's card as a page, then the event: once it is there, all is done."""
    page = card_page_key(job.product, job.tenant, event.version)
    job.store.put(page, render_model_card(facts).encode())
    key, is_new = append_event(job.store, event)
    return _Recorded((page, key), is_new)


def _record_again(job: Job, event: Event) -> tuple[str, str]:
    """Leave what a run that died may not have left."""
    page = card_page_key(job.product, job.tenant, event.version)
    if not job.store.find(page):
        facts = read_model_facts(job.store, job.spec, event.version, event)
        return _record(job, event, facts).keys
    return page, write_event(job.store, event)


def _judge(case: _Case, model: FittedModel, card: Card, column: str, *, is_served: bool) -> _Judged:
    """Pack a model that is to be served, and leave its curves.

    Args:
        case: The case.
        model: The model, as it is shipped.
        card: Its card, as saved.
        column: What was predicted of the holdout by such a model.
        is_served: Whether it is to be packed.
    """
    job, said = case.job, predictions_in(case.evaluation, column)
    packed = save_packed(job.store, model, card, case.table, job.spec) if is_served else Packed()
    own = with_predictions(case.evaluation, CHALLENGER, said)
    curves = appraise(
        card.version,
        model,
        label=own[LABEL].to_numpy(dtype=np.float64),
        predicted=said,
        table=case.table,
        spec=job.spec,
        threshold=settle_rules(job.spec, own).threshold,
    )
    curves = curves.model_copy(update={"not_packed": packed.why_not})
    job.store.put(_curves_key(card), curves.to_json())
    return _Judged(card, packed, curves, own)


def _curves_key(card: Card) -> str:
    return curves_key(card.product, card.tenant, card.version)
