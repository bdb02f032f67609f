"""Features in words, for people who read a model's card."""

from dataclasses import dataclass

from tenantry.reasons import title
from tenantry.specs.features import (
    CalendarFeature,
    CategoricalFeature,
    CongestionFeature,
    Feature,
    HistoryFeature,
    MissingFeature,
    NumericFeature,
)
from tenantry.specs.model import Spec
from tenantry.times import format_duration

_PARTS = {
    "hour": "hour of the event, local time",
    "weekday": "day of the week, local time",
    "minute_of_day": "minutes after midnight, local time",
}


@dataclass(frozen=True)
class FeatureWords:
    """A feature as a card tells of it."""

    name: str
    title: str
    unit: str
    origin: str
    is_dropped: bool


def tell_features(spec: Spec, dropped: tuple[str, ...]) -> tuple[FeatureWords, ...]:
    """Tell of a tenant's own features, in the spec's order; `dropped` never had a value."""
    return tuple(
        FeatureWords(name, title(name, item), item.unit, _origin(name, item), name in dropped)
        for name, item in spec.features.items()
    )


def _origin(name: str, feature: Feature) -> str:
    """Say what a feature is made of."""
    match feature:
        case CalendarFeature():
            return _PARTS[feature.part]
        case MissingFeature():
            return f"whether {feature.column} is missing"
        case HistoryFeature() | CongestionFeature():
            return _past(feature)
        case CategoricalFeature():
            return f"category {feature.column or name}"
        case NumericFeature():
            return f"number {feature.column or name}"
        case _:
            return f"{feature.kind} {name}"


def _past(feature: HistoryFeature | CongestionFeature) -> str:
    over = format_duration(feature.over)
    if isinstance(feature, CongestionFeature):
        return f"rows in the {over} before{_alike(feature)}"
    return f"{feature.statistic} of {feature.of} over {over}{_alike(feature)}, as far as known"


def _alike(feature: HistoryFeature | CongestionFeature) -> str:
    same = getattr(feature, "same", None)
    alike = [*feature.by, *([same] if same else [])]
    return f", same {' and '.join(alike)}" if alike else ""
