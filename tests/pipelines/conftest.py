"""What the tests of pipelines share."""

import pytest

from pipelines.compiling import compile_fleet


@pytest.fixture(scope="session")
def compiled_fleet(tmp_path_factory):
    """The files of the compiled pipeline, without anything given: made once, to be read."""
    return compile_fleet(tmp_path_factory.mktemp("build"))
