import json
import re
import runpy
import tomllib

import pytest

from components._image import GROUPS
from tests.manifests.documents import ROOT
from tools.images import TARGETS, Build, read_build

DOCKERFILE = (ROOT / "images/Dockerfile").read_text()
STAGES = dict(re.findall(r"^FROM runtime AS (\w+)\n((?:(?!^FROM ).*\n)*)", DOCKERFILE, re.M))


def test_every_target_is_there_and_no_other():
    assert STAGES.keys() == {*TARGETS}


@pytest.mark.parametrize("target", sorted({*GROUPS.values()}))
def test_an_image_checks_the_imports_of_the_stages_that_run_in_it(target):
    checked = re.search(r"RUN python \S+check_imports\.py (.+)", STAGES[target])[1].split()
    assert {*checked} == {stage for stage, group in GROUPS.items() if group == target}


def test_the_base_is_named_by_its_digest():
    assert re.search(
        r"^ARG PYTHON_IMAGE=python:3\.11[\d.]*-slim-\w+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.M
    )
    assert {*re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)} == {
        "${PYTHON_IMAGE}",
        "build",
        "runtime",
    }


def test_what_is_installed_is_checked_against_hashes():
    script = (ROOT / "images/install.sh").read_text()
    assert "--require-hashes --only-binary :all: --no-deps" in script
    for lock in (ROOT / "requirements").glob("image-*.lock"):
        pinned = re.findall(r"^[a-z0-9].*", lock.read_text(), re.M)
        assert all("==" in line and line.endswith("\\") for line in pinned), lock.name


def test_locks_hold_what_the_groups_ask_for_in_the_versions_of_run_lock():
    def versions(name):
        text = (ROOT / "requirements" / name).read_text()
        return dict(re.findall(r"^([a-z0-9][a-z0-9.-]*)(?:\[.*?\])?==(\S+) ", text, re.M))

    run = versions("run.lock")
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    for target in TARGETS[:-1]:
        locked = versions(f"image-{target}.lock")
        asked = {one.partition("[")[0] for one in groups[f"image-{target}"] if isinstance(one, str)}
        assert asked <= locked.keys()
        assert locked.items() <= run.items()


def test_the_user_is_a_number_and_not_root():
    assert re.findall(r"^USER (.+)$", DOCKERFILE, re.M) == ["10001:10001"]


def test_latest_is_refused_and_buildah_or_docker_told_the_same():
    with pytest.raises(SystemExit, match="latest"):
        read_build({"IMAGE_TAG": "latest", "IMAGE_BUILDER": "docker"})
    build = Build("docker", "registry.example/tenantry", "1.0.0", "abc", ("--pull",))
    command = build.command("plan")
    assert command[:3] == ["docker", "buildx", "build"]
    assert "registry.example/tenantry/plan:1.0.0" in command
    assert {"--pull", "--build-arg=REVISION=abc"} <= {*command}


def test_a_bill_of_materials_lists_distributions_and_packages(tmp_path):
    status = tmp_path / "status"
    status.write_text(
        "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\n"
        "Version: 2.36-9+deb12u14\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n"
    )
    make = runpy.run_path(str(ROOT / "images/sbom.py"))["bill_of_materials"]
    bill = make("tenantry/plan", status)
    json.dumps(bill)
    urls = [one["purl"] for one in bill["components"]]
    assert "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64" in urls
    assert not any("gone" in url for url in urls)
    assert any(url.startswith("pkg:pypi/numpy@") for url in urls)
    assert len(urls) == len({*urls})
