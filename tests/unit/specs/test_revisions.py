"""Specs as a Git revision has them."""

import pytest

from tenantry.errors import SpecError
from tenantry.specs.load import load_product
from tenantry.specs.revisions import find_commit, specs_at
from tests.unit.repository import commit_all, git


def test_a_revision_has_the_specs_as_they_were(specs):
    commit_all(specs.folder.parent)  # the specs are a folder of the repository
    specs.tenant("description: later\n")
    specs.tenant("", "new")
    with specs_at(specs.folder, "HEAD") as folder:
        fleet = load_product(folder, "churn")
    assert list(fleet.specs) == ["acme"]
    assert fleet.specs["acme"].description == ""
    assert not folder.exists()


def test_a_revision_from_before_the_folder_is_empty(specs):
    home = specs.folder.parent
    git(home, "init", "-q")
    git(home, "commit", "-q", "--allow-empty", "-m", "first")
    with specs_at(specs.folder, "HEAD") as folder:
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "revision", ["nowhere", "-x", "--output=/tmp/x", "HEAD~9", "a b", "HEAD:x"]
)
def test_there_is_no_such_revision(specs, revision):
    commit_all(specs.folder)
    with pytest.raises(SpecError, match="there is no such revision here; name a commit"):
        find_commit(specs.folder, revision)


def test_a_folder_outside_of_git_is_told(specs, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(specs.folder.parent))
    with pytest.raises(SpecError, match="lies in no Git repository"):
        find_commit(specs.folder, "HEAD")
