"""Answers: from a model's predictions to the columns that protocols write."""

from collections.abc import Sequence
from typing import Any

from tenantry.serving.protocol import Output
from tenantry.serving.records import ServingRecord

Told = float | list[float]
"""A probability or value; of several classes one probability a class."""


def make_outputs(record: ServingRecord, told: Sequence[Any]) -> list[Output]:
    """Return the columns of an answer, named as the batch's are.

    Args:
        record: How the tenant's model answers.
        told: A `Told` a row.

    Returns:
        ``probability`` and ``decision``; for regression ``value``, and ``low`` and ``high`` where
        the spec asks for an interval; of several classes ``probabilities`` too.
    """
    if record.task == "regression":
        return _of_values(record, [*told])
    if record.task == "multiclass":
        return _of_classes(record, [*told])
    threshold = 1.0 if record.threshold is None else record.threshold
    return [
        Output("probability", "FP64", [*told]),
        Output("decision", "BOOL", [one >= threshold for one in told]),
    ]


def make_rows(outputs: Sequence[Output]) -> list[dict[str, Any]]:
    """Return an object a row, as v1 answers."""
    names = [one.name for one in outputs]
    columns = [one.values for one in outputs]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _of_values(record: ServingRecord, values: list[float]) -> list[Output]:
    outputs = [Output("value", "FP64", values)]
    if (interval := record.interval) is not None:
        outputs.append(Output("low", "FP64", [value + interval.low for value in values]))
        outputs.append(Output("high", "FP64", [value + interval.high for value in values]))
    return outputs


def _of_classes(record: ServingRecord, told: list[list[float]]) -> list[Output]:
    threshold = record.threshold or 0.0
    surest = [max(row) for row in told]
    named = [
        record.classes[row.index(most)] if most >= threshold else None
        for row, most in zip(told, surest, strict=True)
    ]
    return [
        Output("probability", "FP64", surest),
        Output("decision", "BYTES", named),
        Output("probabilities", "FP64", told, width=len(record.classes)),
    ]
