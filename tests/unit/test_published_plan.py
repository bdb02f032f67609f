"""A cluster without a checkout: the plan reads the specs that were published in the store."""

import pytest

from tenantry.errors import SpecError
from tenantry.request import PlanRequest
from tenantry.specs.bundle import publish, read_folder
from tenantry.specs.frozen import read_frozen_specs
from tenantry.store.folder import FolderStore
from tenantry.tasks import plan_run
from tests.unit.specs.conftest import Specs
from tests.unit.tiny_fleet import AS_OF


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Where stages run: a store, a folder with `connections.yaml` alone, a place for artifacts."""
    mounted = tmp_path / "platform"
    mounted.mkdir()
    (mounted / "connections.yaml").write_text("connections:\n  lake: {url: elsewhere}\n")
    monkeypatch.setenv("TENANTRY_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("TENANTRY_SPECS", str(mounted))
    return FolderStore(tmp_path / "store")


def planned(tmp_path, run):
    folder = tmp_path / run
    folder.mkdir()
    return plan_run("churn", PlanRequest(run, AS_OF), str(folder / "plan"), str(folder / "plan.md"))


def frozen(store, run, shards):
    return {tenant for shard in shards for tenant in read_frozen_specs(store, run, shard)}


def test_the_next_plan_reads_and_freezes_what_was_published(cluster, tmp_path):
    specs = Specs(tmp_path / "git")
    publish(cluster, read_folder(specs.folder))
    assert frozen(cluster, "run-1", planned(tmp_path, "run-1")) == {"acme"}
    specs.tenant("pooling: {contribute: false}\n", name="beta")
    publish(cluster, read_folder(specs.folder))
    assert frozen(cluster, "run-2", planned(tmp_path, "run-2")) == {"acme", "beta"}


def test_nothing_is_planned_where_nothing_was_published(cluster, tmp_path):
    with pytest.raises(SpecError, match="no product is declared, nor published"):
        planned(tmp_path, "run-1")
