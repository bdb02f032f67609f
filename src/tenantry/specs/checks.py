"""What types cannot say about a spec: columns that exist, spans that fit, rules that go together.

Every check names the parts that it reads: a tenant is checked only where its file differs from the
product, and parts that are no parts yet are left alone. Places are dotted paths without the file.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from tenantry.errors import Fault
from tenantry.recipes import NAME, allowed_recipes
from tenantry.specs.data import Column, KnownAt, Label, Source
from tenantry.specs.faults import quoted, suggest
from tenantry.specs.feature_checks import check_features
from tenantry.specs.features import MONTH, has_slices
from tenantry.specs.learning import POOLED_RECIPES, RECIPES, Model
from tenantry.specs.model import Declared
from tenantry.specs.operation import Costs
from tenantry.specs.paths import nearest
from tenantry.text import is_text

Found = Iterator[Fault]

_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,62}")
_METRICS = {
    "classification": ("log_loss", "brier"),
    "regression": ("mae", "rmse"),
    "multiclass": ("log_loss", "brier"),
}
_NUMBERS = ("number", "integer")
_NO_TEXT = ("holds control characters", "write plain text")


def check(
    spec: Declared, changed: Collection[str] | None = None, broken: Collection[str] = ()
) -> Found:
    """Yield what is wrong with a spec, or with a product.

    Args:
        spec: What to check.
        changed: The top-level fields that differ from what was checked before; all when None.
        broken: Those that `spec` lacks because they are no such parts.
    """
    for parts, run in _CHECKS:
        if (changed is None or not parts.isdisjoint(changed)) and parts.isdisjoint(broken):
            yield from run(spec)


def _check_sources(spec: Declared) -> Found:
    sources: tuple[tuple[str, Source], ...] = (
        *((f"sources.rows[{n}]", source) for n, source in enumerate(spec.sources.rows)),
        *((f"sources.joins[{n}]", source) for n, source in enumerate(spec.sources.joins)),
    )
    for place, source in sources:
        parts = source.path.split("/")
        if not source.path.isprintable() or not source.path:
            yield Fault(f"{place}.path", f"{quoted(source.path)} is no path or table")
        elif source.kind != "sql" and (".." in parts or parts[0] == ""):
            remedy = "write it relative to the connection, without `..`"
            yield Fault(f"{place}.path", f"{quoted(source.path)} leaves the connection", remedy)
    for name in _repeated(source.name for _, source in sources):
        yield Fault("sources", f"two sources are called {name!r}", "rename one of them")
    yield from _check_joins(spec)


def _check_joins(spec: Declared) -> Found:
    joins = spec.sources.joins
    for n, join in enumerate(joins):
        place = f"sources.joins[{n}]"
        if not join.on:
            yield Fault(f"{place}.on", "is empty", "name at least one column that must be equal")
        for column in join.on:
            yield from _must_be_declared(spec, column, f"{place}.on")
    for column in _repeated(column for join in joins for column in join.columns):
        yield Fault("sources.joins", f"two joins bring {column!r}", "take it from one of them")


def _check_row_filter(spec: Declared) -> Found:
    place = "row_filter.pattern"
    try:
        pattern = re.compile(spec.row_filter.pattern)
    except (re.error, RecursionError, OverflowError) as error:
        yield Fault(place, f"is no regular expression: {error}", "see Python's `re`")
        return
    if not pattern.groupindex:
        remedy = "write e.g. (?P<carrier>.+) to say which column holds which part of the name"
        yield Fault(place, "has no named group", remedy)
    for column in pattern.groupindex:
        yield from _must_be_declared(spec, column, place)


def _check_key(spec: Declared) -> Found:
    for column in spec.key:
        yield from _must_be_declared(spec, column, "key")
    for column in _repeated(spec.key):
        yield Fault("key", f"{column!r} is there twice", "keep one of them")


def _check_times(spec: Declared) -> Found:
    yield from _must_be_time(spec, spec.times.event_time, "times.event_time")
    for name, known, span in (
        ("known_at", spec.times.known_at, "lead"),
        ("label_known_at", spec.times.label_known_at, "delay"),
    ):
        place = f"times.{name}"
        given = [form for form in KnownAt.model_fields if getattr(known, form) is not None]
        if len(given) != 1 or given[0] not in ("column", span):
            fault = f"has {' and '.join(given) or 'nothing'} where it needs one of column, {span}"
            yield Fault(place, fault, "remove a form of the product's with `: null`")
        elif known.column is not None:
            yield from _must_be_time(spec, known.column, f"{place}.column")


def _check_contract(spec: Declared) -> Found:
    for name, column in spec.contract.columns.items():
        place = f"contract.columns.{name}"
        bounded = column.min is not None or column.max is not None
        if bounded and column.type not in _NUMBERS:
            yield Fault(place, f"has min or max but its type is {column.type}", "remove them")
        elif column.min is not None and column.max is not None and column.min > column.max:
            yield Fault(place, f"min {column.min:g} is above max {column.max:g}")
        if column.categories is None:
            continue
        where = f"{place}.categories"
        if column.type not in ("category", "text"):
            yield Fault(where, f"is for categories but the type is {column.type}", "remove it")
        elif not column.categories or not all(map(str.isprintable, column.categories)):
            yield Fault(where, "is empty or holds unprintable text", "list the values allowed")


def _check_label(spec: Declared) -> Found:
    label, place = spec.label, "label.column"
    yield from _must_be_declared(spec, label.column, place)
    column = spec.contract.columns.get(label.column)
    if column is None:
        return
    if label.task == "multiclass":
        yield from _check_classes(label, column)
        return
    is_flag = column.type == "boolean" or (column.min, column.max) == (0, 1)
    if column.type not in (*_NUMBERS, "boolean"):
        yield Fault(place, f"{label.column!r} is of type {column.type}", "a label is a number")
    elif label.task == "regression" and label.above is not None:
        yield Fault("label.above", "makes no sense for regression", "remove it, or the task")
    elif label.task == "classification" and label.above is None and not is_flag:
        remedy = "write the number above which the label is yes, or declare min: 0 and max: 1"
        yield Fault("label.above", f"is missing, and {label.column!r} is not yes or no", remedy)


def _check_classes(label: Label, column: Column) -> Found:
    if label.above is not None:
        yield Fault("label.above", "makes no sense for multiclass", "remove it, or the task")
    if len(set(column.categories or ())) < 3:
        place = f"contract.columns.{label.column}.categories"
        yield Fault(place, "names fewer than 3 classes", "list all classes, in an order that stays")


def _check_model(spec: Declared) -> Found:
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


def _check_predict(spec: Declared) -> Found:
    if isinstance(spec.predict.threshold, Costs) and spec.label.task == "multiclass":
        fault = "costs are told for yes and no"
        yield Fault("predict.threshold", fault, "write a number, or a target_rate")
    if spec.predict.interval is not None and spec.label.task != "regression":
        fault = f"is for regression; a {spec.label.task} has probabilities"
        yield Fault("predict.interval", fault, "remove it")


def _check_foreign(name: str) -> Found:
    allowed = allowed_recipes()
    if name not in allowed:
        fault = f"the platform does not allow the recipe {quoted(name)}"
        remedy = suggest(name, allowed) if allowed else "it lists none: see TENANTRY_RECIPES"
        yield Fault("model.candidates", fault, remedy)


def _check_spans(spec: Declared) -> Found:
    kept = spec.gate.holdout + spec.model.validation
    if kept >= spec.train.history:
        fault = "is not longer than gate.holdout and model.validation together"
        yield Fault("train.history", fault, "nothing would be left to train on; make it longer")


def _check_slices(spec: Declared) -> Found:
    # a tenant may do without a feature of the product's, and then has no such slices
    known = {**spec.pooled.features, **spec.features}
    for name in spec.gate.slices:
        fault = f"{quoted(name)} is no category, hour or weekday among the features, nor {MONTH}"
        if name != MONTH and (name not in known or not has_slices(known[name])):
            sliced = [MONTH, *(other for other, feature in known.items() if has_slices(feature))]
            yield Fault("gate.slices", fault, suggest(name, sliced))
    for name in _repeated(spec.gate.slices):
        yield Fault("gate.slices", f"{name!r} is there twice", "keep one of them")


def _check_retry(spec: Declared) -> Found:
    if spec.retry.at_most < spec.retry.after:
        yield Fault("retry.at_most", "is shorter than retry.after", "make it at least as long")


def _check_timezone(spec: Declared) -> Found:
    name = spec.timezone
    if not _is_timezone(name):
        near = _nearest_timezone(name) if len(name) < 64 else None
        remedy = f"did you mean {near}?" if near else "write an IANA name, e.g. Europe/Berlin"
        yield Fault("timezone", f"{quoted(name)} is no time zone", remedy)


def _nearest_timezone(name: str) -> str | None:
    zones = sorted(available_timezones())
    cities = {zone.rpartition("/")[2]: zone for zone in zones}
    city = nearest(name.rpartition("/")[2].replace(" ", "_"), cities)
    return nearest(name, zones) or (cities[city] if city else None)


@cache
def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return False
    return True


def _check_texts(spec: Declared) -> Found:
    for place in ("description", "title"):
        if not is_text(getattr(spec, place, "")):
            yield Fault(place, *_NO_TEXT)


def _check_titles(spec: Declared) -> Found:
    if not is_text(spec.label.title):
        yield Fault("label.title", *_NO_TEXT)
    for name, feature in spec.features.items():
        for field, text in (("title", feature.title), ("unit", feature.unit)):
            if not is_text(text):
                yield Fault(f"features.{name}.{field}", *_NO_TEXT)


def _must_be_declared(spec: Declared, column: str, place: str) -> Found:
    columns = spec.contract.columns
    if column not in columns:
        near = suggest(column, columns)
        remedy = near if near.startswith("did") else "declare it in contract.columns"
        yield Fault(place, f"there is no column {column!r} in the contract", remedy)


def _must_be_time(spec: Declared, column: str, place: str) -> Found:
    yield from _must_be_declared(spec, column, place)
    declared = spec.contract.columns.get(column)
    if declared and declared.type != "time":
        yield Fault(place, f"{column!r} is of type {declared.type}", "declare its type as time")


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


_CHECKS: tuple[tuple[frozenset[str], Callable[[Declared], Found]], ...] = (
    (frozenset({"sources", "contract"}), _check_sources),
    (frozenset({"row_filter", "contract"}), _check_row_filter),
    (frozenset({"key", "contract"}), _check_key),
    (frozenset({"times", "contract"}), _check_times),
    (frozenset({"contract"}), _check_contract),
    (frozenset({"label", "contract"}), _check_label),
    (frozenset({"features", "contract", "label", "key"}), check_features),
    (frozenset({"model", "label", "pooling"}), _check_model),
    (frozenset({"predict", "label"}), _check_predict),
    (frozenset({"train", "gate", "model"}), _check_spans),
    (frozenset({"gate", "features", "pooled"}), _check_slices),
    (frozenset({"retry"}), _check_retry),
    (frozenset({"timezone"}), _check_timezone),
    (frozenset({"description", "title"}), _check_texts),
    (frozenset({"label", "features"}), _check_titles),
)
