"""Print what an image holds as CycloneDX 1.6: Python's distributions and Debian's packages.

Runs inside the image with nothing but the standard library: `python sbom.py NAME`.
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions, version
from pathlib import Path
from urllib.parse import quote

STATUS = Path("/var/lib/dpkg/status")


def bill_of_materials(name: str, status: Path = STATUS) -> dict[str, object]:
    """Return the document.

    Args:
        name: The image's name.
        status: Debian's list of what is installed.
    """
    components = [*_python_components(), *_debian_components(status)]
    main = {"type": "container", "name": name, "version": version("tenantry"), "bom-ref": name}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": main},
        "components": sorted(components, key=lambda one: one["bom-ref"]),
    }


def _python_components() -> Iterator[dict[str, object]]:
    for one in {_plain_name(found): found for found in distributions()}.values():
        reference = f"pkg:pypi/{_plain_name(one)}@{one.version}"
        yield _component(_plain_name(one), one.version, reference) | _licences(one)


def _plain_name(distribution: Distribution) -> str:
    return re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()


def _licences(distribution: Distribution) -> dict[str, object]:
    expression = distribution.metadata.get("License-Expression")
    return {"licenses": [{"expression": expression}]} if expression else {}


def _debian_components(status: Path) -> Iterator[dict[str, object]]:
    text = status.read_text(encoding="utf-8") if status.exists() else ""
    for paragraph in text.split("\n\n"):
        fields = dict(re.findall(r"^([A-Z][A-Za-z-]+): (.+)$", paragraph, re.M))
        if fields.get("Status") == "install ok installed":
            name, number = fields["Package"], fields["Version"]
            architecture = fields.get("Architecture", "all")
            reference = f"pkg:deb/debian/{name}@{quote(number)}?arch={architecture}"
            yield _component(name, number, reference)


def _component(name: str, number: str, reference: str) -> dict[str, object]:
    return {
        "type": "library",
        "name": name,
        "version": number,
        "bom-ref": reference,
        "purl": reference,
    }


if __name__ == "__main__":
    json.dump(bill_of_materials(sys.argv[1]), sys.stdout, indent=1)
