"""Which column of a new product's rows is what: tenant, event, key, label."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tenantry.errors import Fault
from tenantry.onboarding.given import Given
from tenantry.onboarding.guesses import Guess, find_key, find_tenant_columns, name_tenants
from tenantry.onboarding.reasons import Reason
from tenantry.specs.faults import suggest
from tenantry.times import parse_duration

_MOST_CLASSES = 20


@dataclass(frozen=True)
class Asked:
    """What is known of a new product besides its rows.

    Attributes:
        label: The column that the label is made of; needed.
        above: The number above which it is yes; none when empty.
        label_delay: How long after the event it is known.
        label_time: The column that says when it is known.
        event_time: The column of when it happens; found when there is only one.
        lead: How long before the event features are known.
        key: The columns that name a row; found when empty.
        tenant_column: The column that names the tenant; found when empty.
        without: Columns that are known too late for features, or say nothing.
        title: The product in words.
    """

    label: str = ""
    above: float | None = None
    label_delay: str = ""
    label_time: str = ""
    event_time: str = ""
    lead: str = "0m"
    key: tuple[str, ...] = ()
    tenant_column: str = ""
    without: tuple[str, ...] = ()
    title: str = ""


@dataclass
class Founding:
    """A product's file in the making.

    Attributes:
        product: Its name.
        tenant: The first tenant's.
        given: Where the rows come from.
        asked: What is known besides.
        guesses: What the columns seem to be.
        reasons: Why it is proposed so.
    """

    product: str
    tenant: str
    given: Given
    asked: Asked
    guesses: Mapping[str, Guess]
    reasons: list[Reason] = field(default_factory=list)

    def why(self, path: str, value: object, reason: str) -> None:
        """Say why something is proposed."""
        self.reasons.append(Reason(path=path, value=str(value), why=reason))


@dataclass(frozen=True)
class Roles:
    """Which column is what.

    Attributes:
        tenant: Names the tenant.
        case: The case that the names have in the data.
        event: When it happens.
        key: Name a row.
        label: What is predicted, as a spec's `label`.
    """

    tenant: str
    case: str
    event: str
    key: tuple[str, ...]
    label: dict[str, Any]


def check_asked(made: Founding) -> Iterator[Fault]:
    """Yield what is wrong with what is asked, or missing in it."""
    asked = made.asked
    columns = {
        "--label": (asked.label,),
        "--label-time": (asked.label_time,),
        "--event-time": (asked.event_time,),
        "--tenant-column": (asked.tenant_column,),
        "--key": asked.key,
        "--without": asked.without,
    }
    for option, names in columns.items():
        for name in names:
            if name and name not in made.guesses:
                yield Fault(option, f"there is no column {name!r}", suggest(name, made.guesses))
    for option, text in (("--label-delay", asked.label_delay), ("--lead", asked.lead)):
        try:
            parse_duration(text or "0m")
        except ValueError as error:
            yield Fault(option, str(error))
    if bool(asked.label_delay) == bool(asked.label_time):
        remedy = "--label-delay 36h, so long after the event, or --label-time COLUMN; not both"
        yield Fault("--label-delay", "say when a label is known", remedy)


def find_roles(made: Founding, faults: list[Fault]) -> Roles:
    """Find out which column is what, as far as it is not said; `faults` gets what cannot be."""
    tenant, case = _find_tenant(made, faults)
    event = _find_event(made, faults)
    label = _find_label(made, faults)
    key = made.asked.key
    if not key and not faults:
        key = find_key(made.guesses, tenant, event)
        if not key:
            remedy = "say --key COLUMN,COLUMN; rows that are there twice have to go first"
            faults.append(Fault("--key", "no few columns together name a row", remedy))
        made.why("key", ", ".join(key), "the fewest columns that tell all rows apart")
    if key and tenant and tenant not in key:
        key = (tenant, *key)
    return Roles(tenant, case, event, key, label)


def _find_tenant(made: Founding, faults: list[Fault]) -> tuple[str, str]:
    found = find_tenant_columns(made.guesses, made.tenant)
    wanted = made.asked.tenant_column
    if wanted:
        found = {name: case for name, case in found.items() if name == wanted}
    if len(found) == 1:
        ((name, case),) = found.items()
        others = name_tenants(made.guesses[name], case)
        reason = f"it holds {made.tenant!r}, and {len(others) - 1} more names of tenants"
        made.why("row_filter", name, reason)
        return name, case
    if found:
        names = ", ".join(sorted(found))
        faults.append(Fault("--tenant-column", f"{names} hold {made.tenant!r}", "say which"))
    elif wanted and wanted in made.guesses:
        remedy = "the tenant's name is its value in the data, in lower case"
        fault = Fault("--tenant-column", f"{wanted} never holds {made.tenant!r}", remedy)
        faults.append(fault)
    elif not wanted:
        remedy = (
            "a tenant's name is a value of one of them, all in lower or all in upper case; "
            f"for a file a tenant, give the folder and lay them as <column>={made.tenant}/…"
        )
        faults.append(Fault("--tenant-column", f"no column holds {made.tenant!r}", remedy))
    return "", ""


def _find_event(made: Founding, faults: list[Fault]) -> str:
    times = [name for name, guess in made.guesses.items() if guess.kind == "time"]
    wanted = made.asked.event_time
    if wanted:
        if wanted in made.guesses and wanted not in times:
            remedy = "times are ISO 8601, e.g. 2013-10-01T06:00:00Z"
            faults.append(Fault("--event-time", f"{wanted} does not hold times", remedy))
        return wanted
    times = [name for name in times if name != made.asked.label_time]
    if len(times) == 1:
        made.why("times.event_time", times[0], "the only column of times")
        return times[0]
    fault = f"{', '.join(times)} hold times" if times else "no column holds times"
    remedy = "say which one is when it happens" if times else "times are ISO 8601"
    faults.append(Fault("--event-time", fault, remedy))
    return ""


def _find_label(made: Founding, faults: list[Fault]) -> dict[str, Any]:
    name = made.asked.label
    guess = made.guesses.get(name)
    if guess is None:
        if not name:
            flags = [one for one, it in made.guesses.items() if it.kind == "boolean"]
            remedy = f"columns of yes and no: {', '.join(flags[:8])}" if flags else "name a column"
            faults.append(Fault("--label", "say what is to be predicted", remedy))
        return {}
    if guess.different < 2:
        fault = f"{name} has one value only" if guess.different else f"{name} never has a value"
        faults.append(Fault("--label", fault, "nothing can be learnt from it"))
        return {}
    if guess.is_number and made.asked.above is not None:
        return _label_above(made, guess, made.asked.above, faults)
    label, why = _label_as_it_is(name, guess)
    if not label:
        fault = f"{name} is a column of {guess.kind} with {guess.different:,} values"
        remedy = f"a label is yes and no, a number, or one of 3 to {_MOST_CLASSES} classes"
        faults.append(Fault("--label", fault, remedy))
    made.why("label", name, why)
    return label


def _label_above(made: Founding, guess: Guess, above: float, faults: list[Fault]) -> dict[str, Any]:
    name = made.asked.label
    share = float((guess.values.dropna() > above).mean())
    if share in (0.0, 1.0):
        fault = f"{name} is {'always' if share else 'never'} above {above:g}"
        faults.append(Fault("--above", fault, "say another number"))
    made.why("label", f"{name} > {above:g}", f"as asked; yes in {share:.1%}")
    return {"column": name, "above": above}


def _label_as_it_is(name: str, guess: Guess) -> tuple[dict[str, Any], str]:
    if guess.kind == "boolean":
        return {"column": name}, f"a column of yes and no; yes in {guess.values.mean():.1%}"
    if guess.is_number:
        return {"column": name, "task": "regression"}, "a number, and no --above: a regression"
    if guess.kind == "category" and 3 <= guess.different <= _MOST_CLASSES:
        return {"column": name, "task": "multiclass"}, f"{guess.different} classes"
    return {}, ""
