import pytest

from tenantry.errors import SettingsError
from tenantry.settings import load_settings


def test_every_fault_is_told_at_once(tmp_path):
    environ = {
        "TENANTRY_WORKERS": "-1",
        "TENANTRY_ISOLATION": "none",
        "TENANTRY_ENCRYPTION": "rot13",
        "TENANTRY_CA_FILE": str(tmp_path / "no.pem"),
    }
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    assert [fault.place for fault in caught.value.faults] == sorted(environ)
    assert "'none' is not sts or process or shared" in str(caught.value)
