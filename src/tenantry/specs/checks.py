"""What types cannot say about a spec: columns that exist, spans that fit, rules that go together.

Every check names the parts that it reads: a tenant is checked only where its file differs from the
product, and parts that are no parts yet are left alone. Places are dotted paths without the file.
"""

from collections.abc import Callable, Collection, Iterator
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from tenantry.errors import Fault
from tenantry.specs.data_checks import (
    check_contract,
    check_key,
    check_label,
    check_row_filter,
    check_sources,
    check_times,
)
from tenantry.specs.faults import quoted
from tenantry.specs.feature_checks import check_features
from tenantry.specs.learning_checks import check_model, check_predict, check_slices, check_spans
from tenantry.specs.model import Declared
from tenantry.specs.paths import nearest
from tenantry.text import is_text

Found = Iterator[Fault]

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


_CHECKS: tuple[tuple[frozenset[str], Callable[[Declared], Found]], ...] = (
    (frozenset({"sources", "contract"}), check_sources),
    (frozenset({"row_filter", "contract"}), check_row_filter),
    (frozenset({"key", "contract"}), check_key),
    (frozenset({"times", "contract"}), check_times),
    (frozenset({"contract"}), check_contract),
    (frozenset({"label", "contract"}), check_label),
    (frozenset({"features", "contract", "label", "key"}), check_features),
    (frozenset({"model", "label", "pooling"}), check_model),
    (frozenset({"predict", "label"}), check_predict),
    (frozenset({"train", "gate", "model"}), check_spans),
    (frozenset({"gate", "features", "pooled"}), check_slices),
    (frozenset({"retry"}), _check_retry),
    (frozenset({"timezone"}), _check_timezone),
    (frozenset({"description", "title"}), _check_texts),
    (frozenset({"label", "features"}), _check_titles),
)
