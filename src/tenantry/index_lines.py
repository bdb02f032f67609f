"""A tenant's record as one line of the index: JSON, with windows run-length coded.

A line is ``["<tenant>",{…}]``, so that its tenant is known without reading the rest. Versions and
digests stand once in ``words`` and are named by their place in it. Equal records give equal lines.
"""

import json
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any

from tenantry.champions import Champion
from tenantry.digests import canonical_json
from tenantry.facts import Alarm, Attempt, Failure, Measured, Predicted
from tenantry.runlengths import (
    moment,
    pack_moments,
    pack_timed,
    pack_windows,
    seconds,
    span,
    unpack_moments,
    unpack_timed,
    unpack_windows,
    window,
)
from tenantry.states import TenantRecord
from tenantry.times import Window

_WORDS = ("version", "training_digest")
"""Fields of a reign that stand in `words`."""

_LEFT_OUT = {"gate": "", "digest": "", "packed": ""}
"""What a record's reigns do not have, see `lighten`."""


def tenant_of(line: bytes) -> str:
    """Return whose line it is."""
    return line[2 : line.index(b'"', 2)].decode()


def to_line(record: TenantRecord) -> bytes:
    """Write a record, without what only readers of the tenant's folder know."""
    words = sorted(_words(record))
    place = {word: n for n, word in enumerate(words)}
    parts = {
        "words": words,
        "champion": _pack_champion(record.champion, place),
        "attempts": _pack_attempts(record, place),
        "retired": pack_moments(record.retired),
        "predicted": _pack_predicted(record.predicted, place),
        "looked": pack_moments(record.looked),
        "judged": pack_windows(record.judged),
        "alarms": [
            [seconds(one.as_of), *span(one.window), one.status, one.action, *_model(one, place)]
            for one in sorted(record.alarms)
        ],
        "failures": [
            [seconds(one.as_of), one.run, one.stage, one.kind] for one in sorted(record.failures)
        ],
        "cleared": {stage: seconds(at) for stage, at in record.cleared.items()},
        "erased": record.erased,
        "costs": {
            stage: [seconds(one.as_of), one.cpu_seconds] for stage, one in record.costs.items()
        },
    }
    return canonical_json([record.tenant, {name: part for name, part in parts.items() if part}])


def from_line(line: bytes, place: str) -> TenantRecord:
    """Read what `to_line` wrote.

    Raises:
        ValueError: It is no such line; names `place`.
    """
    try:
        tenant, parts = json.loads(line.decode())
        return _record(tenant, parts)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        msg = f"{place} is no index of tenants ({type(error).__name__}); run `tenantry reindex`"
        raise ValueError(msg) from None


def _record(tenant: str, parts: Mapping[str, Any]) -> TenantRecord:
    words = parts.get("words", ())
    return TenantRecord(
        tenant,
        champion=_unpack_champion(parts.get("champion"), words),
        attempts=frozenset(
            Attempt(moment(at), words[version], words[digest], rows, turn, promoted)
            for at, version, digest, rows, turn, promoted in parts.get("attempts", ())
        ),
        retired=unpack_moments(parts.get("retired", ())),
        predicted=_unpack_predicted(parts.get("predicted", ()), words),
        looked=unpack_moments(parts.get("looked", ())),
        judged=unpack_windows(parts.get("judged", ())),
        alarms=frozenset(
            Alarm(moment(at), window(start, length), status, action, *(words[one] for one in model))
            for at, start, length, status, action, *model in parts.get("alarms", ())
        ),
        failures=frozenset(Failure(moment(at), *rest) for at, *rest in parts.get("failures", ())),
        cleared={stage: moment(at) for stage, at in parts.get("cleared", {}).items()},
        erased=parts.get("erased", False),
        costs={
            stage: Measured(moment(at), cpu_seconds)
            for stage, (at, cpu_seconds) in parts.get("costs", {}).items()
        },
    )


def _words(record: TenantRecord) -> set[str]:
    words = {word for one in record.attempts for word in (one.version, one.training_digest)}
    words |= {one.model for one in record.alarms if one.model}
    words |= {one.model for some in record.predicted.values() for one in some}
    reigns = record.champion.reigns if record.champion else ()
    return words | {word for one in reigns for word in (one.version, one.training_digest)}


def _model(alarm: Alarm, place: Mapping[str, int]) -> tuple[int, ...]:
    return (place[alarm.model],) if alarm.model else ()


def _pack_champion(champion: Champion | None, place: Mapping[str, int]) -> dict[str, Any] | None:
    if champion is None:
        return None
    packed = champion.model_dump(mode="json", exclude_defaults=True)
    for reign in packed["reigns"]:
        reign |= {name: place[reign[name]] for name in _WORDS}
        for name in _LEFT_OUT:
            reign.pop(name, None)
    return packed


def _unpack_champion(packed: dict[str, Any] | None, words: Sequence[str]) -> Champion | None:
    if packed is None:
        return None
    reigns = [
        reign | {name: words[reign[name]] for name in _WORDS} | _LEFT_OUT
        for reign in packed["reigns"]
    ]
    return Champion.model_validate(packed | {"reigns": reigns})


def _pack_attempts(record: TenantRecord, place: Mapping[str, int]) -> list[list[Any]]:
    attempts = sorted(record.attempts, key=lambda one: one.place)
    return [
        [
            seconds(one.as_of),
            place[one.version],
            place[one.training_digest],
            one.rows,
            one.turn,
            one.promoted,
        ]
        for one in attempts
    ]


def _pack_predicted(
    predicted: Mapping[Window, tuple[Predicted, ...]], place: Mapping[str, int]
) -> list[list[Any]]:
    timed: dict[tuple[int, bool], list[tuple[int, int, int]]] = {}
    for at, some in predicted.items():
        start, length = span(at)
        for one in some:
            same = timed.setdefault((place[one.model], one.in_sample), [])
            same.append((start, length, seconds(one.as_of)))
    return [[*key, pack_timed(same)] for key, same in sorted(timed.items())]


def _unpack_predicted(
    packed: Sequence[Any], words: Sequence[str]
) -> dict[Window, tuple[Predicted, ...]]:
    found: dict[Window, tuple[Predicted, ...]] = {}
    for word, in_sample, runs in packed:
        for windows, moments in unpack_timed(runs):
            facts = zip(moments, repeat(words[word]), repeat(in_sample))
            some: dict[Window, tuple[Predicted, ...]] = dict(
                zip(windows, zip(map(Predicted._make, facts)), strict=True)
            )
            for at in found.keys() & some:
                some[at] = tuple(sorted({*found[at], *some[at]}))
            found |= some
    return found
