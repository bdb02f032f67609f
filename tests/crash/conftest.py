import pytest

from tests.crash.places import Buckets, Folders
from tests.crash.tiny import make_tiny_fleet
from tests.crash.trials import Trials
from tests.crash.zygote import Zygote


@pytest.fixture(scope="session")
def trials(tmp_path_factory):
    """Makes runs of the tiny fleet that begin at once, and undisturbed ones to compare with."""
    env = make_tiny_fleet(tmp_path_factory.mktemp("tiny"))
    with Zygote() as zygote:
        yield Trials(zygote, tmp_path_factory.mktemp("runs"), env)


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """Makes stores that are folders."""
    return Folders(tmp_path_factory.mktemp("folders"))


@pytest.fixture(scope="session")
def buckets(minio_server):
    """Makes stores in a bucket."""
    return Buckets(minio_server)
