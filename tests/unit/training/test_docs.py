"""docs/models.md names every recipe and parameter with its default."""

import inspect
from pathlib import Path

import pytest

from tenantry.training.candidates import CANDIDATES
from tenantry.training.pipelines import Trees

PAGE = (Path(__file__).parents[3] / "docs/models.md").read_text()
ROWS = {line.split("`")[1]: line for line in reversed(PAGE.splitlines()) if line.startswith("| `")}


@pytest.mark.parametrize("name", sorted(CANDIDATES))
def test_every_recipe_is_explained_with_its_parameters(name):
    assert name in ROWS
    for parameter in list(inspect.signature(CANDIDATES[name]).parameters.values())[1:]:
        assert f"`{parameter.name}` ({parameter.default})" in ROWS[name]


def test_the_pooled_models_parameters_are_explained():
    for name, default in vars(Trees()).items():
        assert f"`{name}` ({default})" in PAGE
