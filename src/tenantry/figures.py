"""How metrics are called and their figures written; imports little, so that reports are quick."""

from typing import Literal

Metric = Literal["log_loss", "brier", "mae", "rmse"]
"""What tells how good a model is; lower is better."""

TITLES = {
    "log_loss": "log loss",
    "brier": "Brier score",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
}
"""The metrics by name, in words."""


def figure(value: float) -> str:
    """Write a figure of a metric for a sentence: ``.451``, ``-.012``, ``23.4``."""
    if abs(value) < 0.9995:
        text = f"{value:.3f}"
        return text.replace("0.", ".", 1) if float(text) else ".000"
    return f"{value:.2f}" if abs(value) < 9.995 else f"{value:,.1f}"
