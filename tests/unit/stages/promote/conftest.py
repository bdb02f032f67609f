"""A tenant whose models are to be promoted."""

import pytest

from tests.unit.stages.tenancy import AUGUST, SEPTEMBER, Tenancy
from tests.unit.tiny_fleet import AS_OF


@pytest.fixture(scope="package")
def trained():
    """Models of a tenant as of three moments, never changed by a test."""
    tenancy = Tenancy()
    cards = {
        "august": tenancy.train(AUGUST),
        "september": tenancy.train(SEPTEMBER),
        "october": tenancy.train(AS_OF),
    }
    return tenancy, cards


@pytest.fixture
def tenancy(trained) -> Tenancy:
    return trained[0].copy()


@pytest.fixture
def october(trained):
    return trained[1]["october"]
