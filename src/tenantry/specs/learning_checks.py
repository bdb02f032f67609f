"""Whether models can be made, compared and asked as a spec says: recipes, spans, slices."""

import re
from collections.abc import Iterator

from tenantry.errors import Fault
from tenantry.recipes import NAME, allowed_recipes
from tenantry.specs.faults import quoted, repeated, suggest
from tenantry.specs.features import MONTH, has_slices
from tenantry.specs.learning import POOLED_RECIPES, RECIPES, Model
from tenantry.specs.model import Declared
from tenantry.specs.operation import Costs

Found = Iterator[Fault]

_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,62}")
_METRICS = {
    "classification": ("log_loss", "brier"),
    "regression": ("mae", "rmse"),
    "multiclass": ("log_loss", "brier"),
}


def check_model(spec: Declared) -> Found:
    """Yield what is wrong with the candidates, their metric and their calibration."""
    model, task = spec.model, spec.label.task
    if model.metric not in _METRICS[task]:
        remedy = f"choose from {', '.join(_METRICS[task])}"
        yield Fault("model.metric", f"{model.metric} is not for {task}", remedy)
    if model.calibration != "none" and task != "classification":
        yield Fault("model.calibration", f"is not for {task}", "write none")
    if task == "multiclass" and "stacked" in model.candidates:
        fault = "feeds one score of the pooled model, and classes have several"
        yield Fault("model.candidates.stacked", fault, "use blended")
    yield from _check_candidates(model)
    if not spec.pooling.receive and set(model.candidates) <= set(POOLED_RECIPES):
        own = ", ".join(name for name in RECIPES if name not in POOLED_RECIPES)
        fault = "all need the pooled model, which pooling.receive refuses"
        yield Fault("model.candidates", fault, f"add one of {own}")


def _check_candidates(model: Model) -> Found:
    for name, parameters in model.candidates.items():
        place = f"model.candidates.{name}" if _WORD.fullmatch(name) else "model.candidates"
        if NAME.fullmatch(name):
            yield from _check_foreign(name)
        elif name not in RECIPES:
            yield Fault(place, f"there is no recipe {quoted(name)}", suggest(name, RECIPES))
        for parameter, value in parameters.items():
            if not _PARAMETER.fullmatch(parameter):
                yield Fault(place, f"{quoted(parameter)} is no parameter's name")
            elif isinstance(value, str) and not _WORD.fullmatch(value):
                yield Fault(f"{place}.{parameter}", f"{quoted(value)} is not a word")


def _check_foreign(name: str) -> Found:
    allowed = allowed_recipes()
    if name not in allowed:
        fault = f"the platform does not allow the recipe {quoted(name)}"
        remedy = suggest(name, allowed) if allowed else "it lists none: see TENANTRY_RECIPES"
        yield Fault("model.candidates", fault, remedy)


def check_predict(spec: Declared) -> Found:
    """Yield what is wrong with thresholds and intervals, by the label's task."""
    if isinstance(spec.predict.threshold, Costs) and spec.label.task == "multiclass":
        fault = "costs are told for yes and no"
        yield Fault("predict.threshold", fault, "write a number, or a target_rate")
    if spec.predict.interval is not None and spec.label.task != "regression":
        fault = f"is for regression; a {spec.label.task} has probabilities"
        yield Fault("predict.interval", fault, "remove it")


def check_spans(spec: Declared) -> Found:
    """Yield that nothing is left to train on beside holdout and validation."""
    kept = spec.gate.holdout + spec.model.validation
    if kept >= spec.train.history:
        fault = "is not longer than gate.holdout and model.validation together"
        yield Fault("train.history", fault, "nothing would be left to train on; make it longer")


def check_slices(spec: Declared) -> Found:
    """Yield what is wrong with the slices that the gate looks at one by one."""
    # a tenant may do without a feature of the product's, and then has no such slices
    known = {**spec.pooled.features, **spec.features}
    for name in spec.gate.slices:
        fault = f"{quoted(name)} is no category, hour or weekday among the features, nor {MONTH}"
        if name != MONTH and (name not in known or not has_slices(known[name])):
            sliced = [MONTH, *(other for other, feature in known.items() if has_slices(feature))]
            yield Fault("gate.slices", fault, suggest(name, sliced))
    for name in repeated(spec.gate.slices):
        yield Fault("gate.slices", f"{name!r} is there twice", "keep one of them")
