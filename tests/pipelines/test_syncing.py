"""The sync against a Kubeflow that keeps pipelines in its database, or in Kubernetes."""

import shutil
import threading
from pathlib import Path

import kfp_server_api as api
import pytest
from kubernetes import client
from typer.testing import CliRunner

from pipelines.__main__ import app
from pipelines.declaring import Declared
from pipelines.kubeflow import Kubeflow, KubeflowError
from pipelines.resources import OWNER_LABEL, Resources
from pipelines.schedules import find_recurring, read_schedules
from pipelines.syncing import Cluster, Database, Recurrences, Specs, preview, sync
from tenantry.errors import SpecError, TenantryError
from tenantry.specs.bundle import Bundle, find_published
from tenantry.store.folder import FolderStore
from tests.pipelines.test_schedules import NOW
from tests.servers.certificates import make_certificates
from tests.servers.kfp import KfpState, kfp_running
from tests.unit.memory_store import MemoryStore

SCHEDULES = """\
schedules:
- {name: daily, product: churn, cron: "30 5 * * *", partitions: 2, parameters: {max_shards: 16}}
- {name: weekly, product: churn, cron: "0 3 * * 0", enabled: false, catch_up: true}
"""
FOREIGN = "someone's own"
STORES = pytest.mark.parametrize("store", ["database", "kubernetes"])


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """The pipeline's two compiled files, small: what is synced is their names and digests."""
    folder = tmp_path_factory.mktemp("compiled")
    spec, manifest = folder / "fleet.yaml", folder / "fleet-manifest.yaml"
    spec.write_text("pipelineInfo: {name: tenantry-fleet}\n")
    head = "apiVersion: pipelines.kubeflow.org/v2beta1\n"
    manifest.write_text(
        f"{head}kind: Pipeline\nmetadata: {{name: tenantry-fleet}}\nspec: {{}}\n---\n"
        f"{head}kind: PipelineVersion\nmetadata: {{name: {version(spec)}}}\n"
        "spec: {pipelineName: tenantry-fleet, pipelineSpec: {}}\n"
    )
    return spec, manifest


def version(spec):
    from pipelines.compiling import version_name

    return version_name(spec)


class Site:
    """A Kubeflow, and a Git that declares what it should be."""

    def __init__(self, address, state, compiled, folder):
        self.address, self.state, self.compiled = address, state, compiled
        self.file = folder / "schedules.yaml"
        self.file.write_text(SCHEDULES)
        self.token = folder / "token"
        self.token.write_text(state.token)

    def parts(self, compiled=None, owner="tenantry"):
        spec, manifest = compiled or self.compiled
        kubeflow = Kubeflow(
            self.address, self.state.namespace, self.token if self.state.token else None
        )
        pipeline = Database(kubeflow, owner, spec)
        if kubeflow.pipeline_store() == "kubernetes":
            cluster = client.ApiClient(client.Configuration(host=self.address))
            pipeline = Cluster(Resources(cluster, "kubeflow", owner), manifest)
        wanted = find_recurring(read_schedules(self.file), version(spec), now=NOW, clock="UTC")
        return pipeline, Recurrences(kubeflow, owner, wanted, "tenantry")

    def sync(self, **given):
        told = []
        return sync(self.parts(**given), told.append), told

    def recurring(self):
        """Title → cron, parameters, concurrency, catch-up, state, of ours."""
        return {
            run.display_name: (
                run.trigger.cron_schedule.cron,
                run.runtime_config.parameters,
                run.max_concurrency,
                not run.no_catchup,
                run.status,
            )
            for run in self.state.recurring.values()
            if run.display_name != FOREIGN
        }


@pytest.fixture
def make_site(tmp_path, compiled):
    """Return a function that starts a Kubeflow with a foreign pipeline and recurring run."""
    stack = []

    def make(**given):
        state = KfpState(**given)
        pipeline = api.V2beta1Pipeline(pipeline_id="theirs", name=FOREIGN, namespace="n")
        state.pipelines["theirs"] = pipeline
        state.recurring["theirs"] = api.V2beta1RecurringRun(
            recurring_run_id="theirs",
            display_name=FOREIGN,
            description="[tenantry-sync owner=another key=daily/1-of-2 digest=0]",
            status="ENABLED",
        )
        running = kfp_running(state)
        stack.append(running)
        return Site(running.__enter__(), state, compiled, tmp_path)

    yield make
    for running in stack:
        running.__exit__(None, None, None)


EXPECTED = {
    "churn: daily, 1 of 2": (
        "0 30 5 * * *",
        {"max_shards": 16, "product": "churn", "region": "", "partition": "1/2"},
        "1",
        False,
        "ENABLED",
    ),
    "churn: daily, 2 of 2": (
        "0 30 5 * * *",
        {"max_shards": 16, "product": "churn", "region": "", "partition": "2/2"},
        "1",
        False,
        "ENABLED",
    ),
    "churn: weekly": (
        "0 0 3 * * 0",
        {"product": "churn", "region": "", "partition": ""},
        "1",
        True,
        "DISABLED",
    ),
}


@STORES
def test_kubeflow_is_made_equal_and_then_left_alone(make_site, store):
    site = make_site(pipeline_store=store)
    done, told = site.sync()
    assert done == len(told) > 5
    assert site.recurring() == EXPECTED
    names = {one.name for one in site.state.versions.values()}
    assert names == {version(site.compiled[0])}
    before = list(site.state.changes)
    assert site.sync() == (0, [])
    assert site.state.changes == before


@STORES
def test_a_preview_tells_and_changes_nothing(make_site, store):
    site, told = make_site(pipeline_store=store), []
    assert preview(site.parts(), told.append) == len(told)
    assert "create recurring run daily/1-of-2: 0 30 5 * * *" in told
    assert "create recurring run weekly: 0 0 3 * * 0, off" in told
    assert site.state.changes == []


@STORES
def test_what_git_changes_is_changed_and_what_it_drops_is_deleted(make_site, store):
    site = make_site(pipeline_store=store)
    site.sync()
    ids = {run.display_name: run.recurring_run_id for run in site.state.recurring.values()}
    site.file.write_text(
        SCHEDULES.replace("30 5", "45 6").replace("partitions: 2, ", "").replace("false", "true")
    )
    _, told = site.sync()
    found = site.recurring()
    assert found["churn: daily"][0] == "0 45 6 * * *"
    assert found["churn: weekly"][-1] == "ENABLED"
    assert set(found) == {"churn: daily", "churn: weekly"}
    assert "enable recurring run weekly" in told
    after = {run.display_name: run.recurring_run_id for run in site.state.recurring.values()}
    assert after["churn: weekly"] == ids["churn: weekly"]


@STORES
def test_what_is_foreign_is_never_touched(make_site, store):
    site = make_site(pipeline_store=store)
    site.sync()
    site.file.write_text("schedules: []\n")
    site.sync()
    assert list(site.state.recurring) == ["theirs"]
    assert site.state.pipelines["theirs"].name == FOREIGN
    assert not any("theirs" in change for change in site.state.changes)


def test_a_pipeline_of_our_name_that_is_not_ours_is_refused(make_site):
    site = make_site()
    site.state.pipelines["theirs"].name = "tenantry-fleet"
    with pytest.raises(KubeflowError, match="is not of sync owner tenantry"):
        site.sync()
    assert site.state.changes == []
    site = make_site(pipeline_store="kubernetes")
    site.state.resources["pipelines", "tenantry-fleet"] = {
        "metadata": {"labels": {OWNER_LABEL: "x"}}
    }
    with pytest.raises(KubeflowError, match="is not of sync owner tenantry"):
        site.sync()


@STORES
def test_two_owners_do_not_meet(make_site, store):
    site = make_site(pipeline_store=store)
    site.sync()
    before = site.recurring()
    kubeflow = site.parts()[1].kubeflow
    sync([Recurrences(kubeflow, "another", (), "tenantry")], lambda _: None)
    assert site.recurring() == before
    assert "theirs" not in site.state.recurring


@STORES
@pytest.mark.parametrize("fail_after", range(6))
def test_an_interrupted_sync_is_completed_by_the_next(make_site, store, fail_after):
    site = make_site(pipeline_store=store, fail_after=fail_after)
    with pytest.raises(KubeflowError, match="breaks down"):
        site.sync()
    site.state.fail_after = None
    site.sync()
    assert site.recurring() == EXPECTED
    assert len(site.state.recurring) == 1 + len(EXPECTED)
    assert site.sync() == (0, [])


@STORES
def test_two_at_once_do_no_harm(make_site, store):
    site = make_site(pipeline_store=store)
    start, failures = threading.Barrier(2), []

    def run():
        start.wait()
        try:
            site.sync()
        except KubeflowError as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert site.recurring() == EXPECTED
    assert len(site.state.recurring) == 1 + len(EXPECTED)
    assert len(site.state.versions) == 1
    assert site.sync() == (0, [])


def test_a_double_of_a_lost_race_is_removed_and_the_oldest_stays(make_site):
    site = make_site()
    site.sync()
    first = next(run for run in site.state.recurring.values() if run.display_name != FOREIGN)
    double = api.V2beta1RecurringRun(**{**first.to_dict(), "recurring_run_id": "zz-double"})
    double.trigger, double.runtime_config = first.trigger, first.runtime_config
    site.state.recurring["zz-double"] = double
    assert site.sync()[0] == 1
    assert "zz-double" not in site.state.recurring
    assert first.recurring_run_id in site.state.recurring


def test_another_spec_is_another_version_and_recurring_runs_follow_it(make_site, tmp_path):
    site = make_site()
    site.sync()
    newer = tmp_path / "newer.yaml"
    newer.write_text("pipelineInfo: {name: tenantry-fleet, description: newer}\n")
    site.sync(compiled=(newer, None))
    assert len(site.state.versions) == 2
    latest = max(site.state.versions)
    used = {
        run.pipeline_version_reference.pipeline_version_id
        for run in site.state.recurring.values()
        if run.display_name != FOREIGN
    }
    assert used == {latest}
    assert len(site.state.recurring) == 1 + len(EXPECTED)


@STORES
def test_multi_user_mode_needs_namespace_and_token(make_site, store):
    site = make_site(pipeline_store=store, namespace="team-a", token="t0k3n")
    site.sync()
    assert site.recurring() == EXPECTED
    ours = [run for run in site.state.recurring.values() if run.display_name != FOREIGN]
    assert {run.namespace for run in ours} == {"team-a"}
    site.state.token = "another"
    with pytest.raises(KubeflowError, match="401"):
        site.sync()


def test_recurring_runs_run_as_the_account_that_is_named(make_site):
    site = make_site()
    site.sync()
    ours = [run for run in site.state.recurring.values() if run.display_name != FOREIGN]
    assert {run.service_account for run in ours} == {"tenantry-runner"}


@pytest.mark.parametrize("owner", ["team a", "", "a]", "Team"])
def test_an_owner_that_a_mark_cannot_hold_is_refused(owner):
    with pytest.raises(KubeflowError, match="write a DNS label"):
        Declared(Path("schedules.yaml"), owner)


def test_authorities_of_its_own_are_trusted(tmp_path, monkeypatch):
    file = tmp_path / "ca.pem"
    monkeypatch.setenv("KFP_CA_FILE", str(file))
    with pytest.raises(KubeflowError, match="KFP_CA_FILE: .*no such file"):
        Kubeflow.from_environment("https://kfp.example", "")
    shutil.copy(make_certificates(tmp_path), file)
    with kfp_running(KfpState(), tmp_path) as address:
        assert Kubeflow.from_environment(address, "").pipeline_store() == "database"


def test_a_server_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    with pytest.raises(KubeflowError, match=r"127\.0\.0\.1:1: .*no answer"):
        Kubeflow("http://127.0.0.1:1").pipeline_store()


def test_the_command_publishes_specs_and_syncs_them_all(make_site, tmp_path, monkeypatch):
    site = make_site()
    store = tmp_path / "store"
    monkeypatch.setenv("TENANTRY_STORE", store.as_uri())
    monkeypatch.setenv("TENANTRY_SPECS", str(Path("tenant_specs").resolve()))
    monkeypatch.setenv("KFP_HOST", site.address)
    site.file.write_text(SCHEDULES.replace("churn", "arrival-delay"))
    call = ["sync", "--schedules", str(site.file)]
    shown = CliRunner().invoke(app, [*call, "--dry-run"], catch_exceptions=False)
    assert "publish specs" in shown.output
    assert "to change" in shown.output
    assert site.state.changes == []
    assert not store.exists()
    done = CliRunner().invoke(app, call, catch_exceptions=False)
    assert done.exit_code == 0
    assert len(site.recurring()) == 3
    assert find_published(FolderStore(store))
    again = CliRunner().invoke(app, call, catch_exceptions=False)
    assert again.output == "nothing to change\n"
    more = [*call, "--dry-run", "--secret=ANOTHER_PASSWORD"]
    assert "upload version" in CliRunner().invoke(app, more, catch_exceptions=False).output


@pytest.mark.parametrize(
    ("host", "words"),
    [("foo", "begins with http:// or https://"), ("", "no address of the Kubeflow Pipelines API")],
)
def test_an_address_that_is_none_is_refused(tmp_path, monkeypatch, host, words):
    monkeypatch.setenv("KFP_HOST", host)
    called = CliRunner().invoke(app, ["sync", "--schedules", str(tmp_path / "none.yaml")])
    assert called.exit_code == 2
    assert words in " ".join(called.output.replace("│", " ").split())


def test_the_job_of_a_region_makes_that_regions_runs(make_site, tmp_path, monkeypatch):
    site = make_site()
    specs = tmp_path / "specs"
    shutil.copytree("tenant_specs", specs)
    (specs / "regions.yaml").write_text(
        "regions:\n  default: {store: ../east}\n  west: {store: ../west}\n"
    )
    site.file.write_text(
        "schedules:\n- {name: d, product: arrival-delay, cron: 0 5 * * *,"
        " regions: [default, west]}\n"
    )
    monkeypatch.setenv("TENANTRY_SPECS", str(specs))
    monkeypatch.setenv("KFP_HOST", site.address)
    call = ["sync", "--schedules", str(site.file)]
    assert isinstance(CliRunner().invoke(app, call).exception, TenantryError)
    monkeypatch.setenv("TENANTRY_REGION", "west")
    assert CliRunner().invoke(app, call, catch_exceptions=False).exit_code == 0
    assert set(site.recurring()) == {"arrival-delay: d, west"}
    assert find_published(FolderStore(tmp_path / "west"))
    assert not (tmp_path / "east").exists()


def test_a_sync_that_was_overtaken_publishes_no_specs():
    store = MemoryStore()
    older = Specs(store, Bundle({"a/product.yaml": "1"}), seen="")
    newer = Specs(store, Bundle({"a/product.yaml": "2"}), seen="")
    assert sync([newer], lambda _: None) == 1
    with pytest.raises(SpecError, match="meanwhile"):
        sync([older], lambda _: None)
    assert find_published(store) == newer.bundle.digest
