"""The 16 airlines that flew from New York in 2013, as the benchmark's flights: a tenant each."""

from pathlib import Path

import pandas as pd

from tools.make_demo_data import package_folder
from tools.make_demo_data import read_flights as read_demo_flights

CALLED = {
    "9E": "FLG", "AA": "AAL", "AS": "ASA", "B6": "JBU", "DL": "DAL", "EV": "ASQ", "F9": "FFT",
    "FL": "TRS", "HA": "HAL", "MQ": "EGF", "OO": "SKW", "UA": "UAL", "US": "USA", "VX": "VRD",
    "WN": "SWA", "YV": "ASH",
}  # fmt: skip
"""Airlines by their ICAO codes: three letters, as those of an airport."""

EARLIER = pd.Timedelta(weeks=652)
"""What moves 2013 back by whole weeks, so that 11 months lie before the benchmark's `AS_OF`."""


def read_carriers(package: Path | None = None) -> pd.DataFrame:
    """Return the flights that arrived, with the columns of `landing.read_flights`.

    The airline stands where the first airport of a pair does, New York where the second does: so
    specs and bare script are the very same.
    """
    flights = read_demo_flights(package or package_folder())
    flights = flights[flights["arr_delay"].notna()]
    told = pd.DataFrame(
        {
            "date": flights["sched_dep_at"] - EARLIER,
            "delay": flights["arr_delay"].astype("int64"),
            "distance": flights["distance"].astype("int64"),
            "origin": flights["carrier"].map(CALLED),
            "destination": "NYC",
        }
    )
    told = told.sort_values(["origin", "date"], kind="stable", ignore_index=True)
    return told.assign(number=range(len(told)))
