"""The bare script: pandas and scikit-learn read, build features, predict and write, nothing else.

It has no contract, no snapshot, no receipts and no reasons. Features and fits are those of the
bare script of benchmarks/scale. A model is fitted first, which is not measured.

``python -m benchmarks.scoring.bare FLIGHTS OUT RECIPE TRAINED`` prints CPU-seconds as JSON.
"""

import json
import sys
from pathlib import Path

import pandas as pd

from benchmarks.scale.bare import boosted, build_features, logistic, say
from tenantry.cpu import own_seconds

FITS = {"logistic": logistic, "boosted": boosted}


def main(source: Path, out: Path, recipe: str, trained: pd.Timestamp) -> dict[str, float]:
    """Fit a model by what is known at a moment, then score all flights week by week."""
    head = pd.read_parquet(source, filters=[("date", "<", trained)])
    head["origin"] = head["origin"].astype(str)
    table = build_features(head)
    model = FITS[recipe](table[table["date"] + pd.Timedelta("1D") <= trained])
    del head, table
    began = own_seconds()
    flights = pd.read_parquet(source)
    flights["origin"] = flights["origin"].astype(str)
    read = own_seconds()
    table = build_features(flights)
    built = own_seconds()
    weeks = (table["date"] - pd.Timestamp("2001-01-01", tz="UTC")).dt.days // 7
    for week, rows in table.groupby(weeks):
        scored = rows[["number", "date"]].assign(probability=say(model, rows))
        scored.to_parquet(out / f"{week}.parquet")
    ended = own_seconds()
    return {
        "read": read - began,
        "features": built - read,
        "score and write": ended - built,
        "total": ended - began,
        "rows": len(table),
    }


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    told = main(Path(sys.argv[1]), folder, sys.argv[3], pd.Timestamp(sys.argv[4], tz="UTC"))
    sys.stdout.write(f"{json.dumps(told)}\n")
