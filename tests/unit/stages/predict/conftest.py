"""A tenant whose windows are to be predicted."""

import pytest

from tests.unit.stages.tenancy import AUGUST, SEPTEMBER, Tenancy


@pytest.fixture(scope="package")
def trained() -> tuple[Tenancy, dict[str, object]]:
    """A tenant with models as of 1 August and 10 September, never changed by a test."""
    tenancy = Tenancy()
    cards = {"august": tenancy.train(AUGUST), "september": tenancy.train(SEPTEMBER, "trees")}
    return tenancy, cards


@pytest.fixture
def tenancy(trained) -> Tenancy:
    """The same tenant in a store of the test's own, champion since 1 August."""
    original, cards = trained
    copy = original.copy()
    copy.crown(cards["august"])
    return copy
