"""A small product in a folder of its own, to be broken in one place at a time."""

from pathlib import Path

import pytest

from tenantry.errors import SpecError
from tenantry.specs.load import Fleet, load_product

CONNECTIONS = "connections:\n  lake: {url: lake}\n"

PRODUCT = """\
apiVersion: tenantry/v2
product: churn
title: Churn
tenants_may_set:
  [description, state, timezone, features, gate, model, predict.start, train,
   label, pooling, contract, key, times]
sources:
  rows: [{name: visits, connection: lake, kind: parquet, path: visits}]
row_filter: {pattern: "(?P<account>.+)"}
key: [account, visit]
times: {event_time: at, label_known_at: {delay: 30d}}
label: {column: left}
contract:
  columns:
    account: {type: category}
    visit: {type: integer}
    at: {type: time}
    left: {type: boolean}
    minutes: {type: number, min: 0}
    plan: {type: category}
features:
  minutes: {kind: numeric, unit: min}
  plan: {kind: categorical}
model: {candidates: {pooled: {}, logistic: {C: 0.5}}, validation: 14d}
train: {every: 7d, history: 180d}
gate: {holdout: 14d}
predict: {window: 7d, start: 2024-01-01}
pooled: {every: 30d}
"""

ALONE = "pooling: {contribute: false, receive: false}\n"
"""Of a tenant, so that only the check in question has something to say."""

TENANT = "apiVersion: tenantry/v2\ntenant: acme\n"


class Specs:
    """A folder of specs that tests write into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("connections.yaml", CONNECTIONS)
        self.write("churn/product.yaml", PRODUCT)
        self.write("churn/acme.yaml", TENANT)

    def write(self, path: str, text: str | bytes) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())

    def tenant(self, more: str, name: str = "acme") -> None:
        self.write(f"churn/{name}.yaml", f"apiVersion: tenantry/v2\ntenant: {name}\n{more}")

    def product(self, old: str, new: str) -> None:
        assert old in PRODUCT
        self.write("churn/product.yaml", PRODUCT.replace(old, new))

    def load(self) -> Fleet:
        return load_product(self.folder, "churn")

    def faults(self) -> list[str]:
        with pytest.raises(SpecError) as caught:
            self.load()
        return str(caught.value).splitlines()

    def expect(self, file: str, words: str) -> None:
        """Assert that a file has just these faults; `words` are their beginnings, ``|`` between."""
        expected = [f"{file}: {text}" for text in words.split("|")]
        found = self.faults()
        assert len(found) == len(expected), found
        for line, text in zip(found, expected, strict=True):
            assert line.startswith(text)


@pytest.fixture
def specs(tmp_path: Path) -> Specs:
    return Specs(tmp_path / "specs")
