from tests.manifests.documents import GOLDEN, OVERLAYS
from tests.manifests.goldens import DIGEST, digest_of, normalised


def test_the_golden_files_belong_to_these_manifests():
    assert DIGEST.read_text().strip() == digest_of(), "they are stale; run: make render"
    assert sorted(path.stem for path in GOLDEN.glob("*.yaml")) == sorted(OVERLAYS)


def test_a_change_of_the_manifests_makes_them_stale(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base/a.yaml").write_text("a: 1\n")
    before = digest_of(tmp_path)
    (tmp_path / "base/a.yaml").write_text("a: 2\n")
    assert digest_of(tmp_path) != before


def test_tenants_files_and_digests_are_left_out():
    built = (
        "kind: ConfigMap\nmetadata: {name: tenantry-specs-arrival-delay-1-7gbt46mb42}\n"
        "data: {ua.yaml: x}\n---\n"
        "kind: Job\nmetadata: {name: tenantry-sync-34863bf3bce4}\n"
    )
    text = normalised(built)
    assert "ua.yaml" not in text
    assert "tenantry-specs-arrival-delay-1-0000000000" in text
    assert "tenantry-sync-000000000000" in text
