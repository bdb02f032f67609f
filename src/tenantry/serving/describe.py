"""What a model says of itself: the metadata of the v2 protocol."""

from typing import Any

from tenantry.serving.loading import Loaded
from tenantry.serving.records import ServingRecord

_DATATYPES = {"number": "FP64", "integer": "INT64", "boolean": "BOOL"}
"""Type of a column in the contract → datatype of its tensor; all others are texts."""


def describe(name: str, loaded: Loaded) -> dict[str, Any]:
    """Return the metadata of a model.

    Args:
        name: ``<product>.<tenant>``.
        loaded: What answers for it.
    """
    record = loaded.record
    return {
        "name": name,
        "versions": [record.version],
        "platform": f"tenantry_{loaded.engine}",
        "inputs": [
            {
                "name": column,
                "datatype": _DATATYPES.get(about.type, "BYTES"),
                "shape": [-1],
                "parameters": {"optional": _may_be_left_out(record, column)},
            }
            for column, about in record.columns.items()
        ],
        "outputs": _outputs(record),
        "parameters": {**loaded.about, "label": record.label, "recipe": record.recipe},
    }


def _may_be_left_out(record: ServingRecord, column: str) -> bool:
    joined = any(column in join.columns for join in record.joins)
    return joined or column in record.bound or not record.columns[column].required


def _outputs(record: ServingRecord) -> list[dict[str, Any]]:
    if record.task == "regression":
        names = ["value"] if record.interval is None else ["value", "low", "high"]
        return [{"name": name, "datatype": "FP64", "shape": [-1]} for name in names]
    outputs: list[dict[str, Any]] = [{"name": "probability", "datatype": "FP64", "shape": [-1]}]
    kind = "BYTES" if record.task == "multiclass" else "BOOL"
    outputs.append({"name": "decision", "datatype": kind, "shape": [-1]})
    if record.task == "multiclass":
        width = len(record.classes)
        outputs.append(
            {
                "name": "probabilities",
                "datatype": "FP64",
                "shape": [-1, width],
                "parameters": {"classes": list(record.classes)},
            }
        )
    return outputs
