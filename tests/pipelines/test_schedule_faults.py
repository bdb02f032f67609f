import shutil

import pytest

from pipelines.schedule_faults import find_spec_faults
from pipelines.schedules import Schedule
from tenantry.settings import load_settings

DAILY = {"name": "daily", "product": "arrival-delay", "cron": "0 5 * * *"}


@pytest.fixture(scope="module")
def specs(tmp_path_factory):
    """One product of two tenants, of which ua is large."""
    folder = tmp_path_factory.mktemp("specs")
    (folder / "arrival-delay").mkdir()
    shutil.copy("tenant_specs/connections.yaml", folder)
    for name in ("product", "ua", "dl"):
        shutil.copy(f"tenant_specs/arrival-delay/{name}.yaml", folder / "arrival-delay")
    product = folder / "arrival-delay/product.yaml"
    product.write_text(product.read_text().replace("resources.dedicated", "resources.size"))
    (folder / "arrival-delay/ua.yaml").write_text(
        "apiVersion: tenantry/v2\ntenant: ua\nresources: {size: large}\n"
    )
    return load_settings({"TENANTRY_SPECS": str(folder)})


def faults(specs, *schedules):
    found = find_spec_faults([Schedule(**DAILY | one) for one in schedules], specs)
    return [str(fault) for fault in found]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"product": "nosuch"}, "schedules.daily.product: 'nosuch' is no product"),
        ({"parameters": {"max_shards": 0}}, "schedules.daily: max_shards"),
        ({"parameters": {"cpu_limit": "lots"}}, "'lots' is no quantity of Kubernetes"),
        ({"parameters": {"max_failed_share": 2.0}}, "is not between 0 and 1"),
        ({"parameters": {"tenants": "uu"}}, "'uu' is not a tenant"),
        ({"parameters": {"size": "huge"}}, "no tenant of this product has resources.size 'huge'"),
        ({"regions": ["mars"]}, "mars"),
    ],
)
def test_what_the_plan_would_refuse_is_told(specs, fields, words):
    assert words in "\n".join(faults(specs, fields))


def test_tenants_whom_no_schedule_runs_are_told(specs):
    standard = {"parameters": {"size": "standard"}}
    large = {"name": "large", "parameters": {"size": "large"}}
    (told,) = faults(specs, standard, large | {"enabled": False})
    assert "no schedule runs size large of arrival-delay: ua" in told
    assert "{size: large}" in told
    assert faults(specs, standard, large) == []
    assert faults(specs, {}) == []
    assert faults(specs) == []


def test_a_schedule_that_is_off_may_be_of_a_size_that_nobody_has_yet(specs):
    off = {"name": "huge", "parameters": {"size": "huge"}, "enabled": False}
    assert faults(specs, {}, off) == []
