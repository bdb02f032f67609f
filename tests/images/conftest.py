"""The fixtures of the images' tests: every target, built once."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.images.building import Buildah
from tests.images.install import PACKAGES, base_archive
from tools.images import TARGETS


@pytest.fixture(scope="session")
def buildah():
    """Buildah with the base in its storage.

    `make images-test` installs what it takes, and sets TENANTRY_IMAGES to 1: a new storage, removed
    afterwards. A folder there is a storage that is kept, with the images that are in it.
    """
    wanted = os.environ.get("TENANTRY_IMAGES")
    if not wanted:
        pytest.skip("images take minutes; make images-test builds and tests them")
    assert base_archive().exists(), "run make images-test"
    assert all(map(shutil.which, PACKAGES)), "run make images-test"
    new = wanted == "1"
    folder = Path(tempfile.mkdtemp(prefix="tenantry-images-", dir="/var/tmp") if new else wanted)
    tool = Buildah(folder)
    tool.prepare()
    yield tool
    if new:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def images(buildah):
    """Target → name of the image."""
    return {target: buildah.find(target) or buildah.build(target) for target in TARGETS}


@pytest.fixture(scope="session")
def roots(buildah, images):
    """Target → root file system of a container."""
    made = {target: buildah.run("from", "--pull=never", name) for target, name in images.items()}
    yield {target: Path(buildah.run("mount", container)) for target, container in made.items()}
    buildah.run("rm", *made.values(), check=False)
