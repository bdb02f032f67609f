"""A rehearsal with tables: a small one is made, written, read and cut before workers are forked.

pandas and Arrow fill caches, and the interpreter adapts their code to its types, when they are
first used. A worker that is forked for one tenant would pay for it each time, some 5 CPU-ms.
"""

import numpy as np
import pandas as pd

from tenantry.parquet import from_parquet, to_parquet

_ROWS = 60
_TIMES = 10
"""The interpreter adapts code after eight calls."""


def rehearse_tables() -> pd.DataFrame:
    """Do with made-up rows what every stage does with a tenant's; return what is left of them."""
    for _ in range(_TIMES):
        frame = _make_rows()
    return frame


def _make_rows() -> pd.DataFrame:
    number = np.arange(_ROWS, dtype=np.int64)
    made = pd.DataFrame(
        {
            "at": pd.date_range("2020-01-01", periods=_ROWS, freq="h", tz="UTC"),
            "number": number,
            "share": number / _ROWS,
            "name": pd.Series(["a", "b", "c"] * (_ROWS // 3), dtype="str"),
        }
    )
    read = from_parquet(to_parquet(made))
    both = pd.concat([read, read], ignore_index=True)
    both = both.sort_values(["at", "number"], ignore_index=True)
    chosen = both.loc[both["share"].notna() & (both["share"] < 0.5)]
    hours = chosen["at"].dt.tz_convert("Europe/Berlin").dt.hour
    return chosen.assign(hour=hours.to_numpy(), name=chosen["name"].to_numpy())
