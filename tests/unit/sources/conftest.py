"""The lake that the tests of sources read."""

import pytest

from tests.unit.sources.lake import Lake


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path)
