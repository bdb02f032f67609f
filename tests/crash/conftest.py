import pytest

from tests.crash.tiny import make_tiny_fleet
from tests.crash.zygote import Zygote


@pytest.fixture(scope="session")
def zygote():
    """Makes runs that begin at once."""
    with Zygote() as process:
        yield process


@pytest.fixture(scope="session")
def tiny_fleet(tmp_path_factory):
    """What the environment of a run of the tiny fleet must hold; its sources never change."""
    return make_tiny_fleet(tmp_path_factory.mktemp("tiny"))
