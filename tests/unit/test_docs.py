"""The docs say what there is: links lead somewhere, every setting is told."""

import re
from pathlib import Path

import pytest

PAGES = sorted([*Path().glob("*.md"), *Path("docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page):
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


def test_every_setting_is_told():
    read = re.findall(r'environ\.get\(\s*"(\w+)"', Path("src/tenantry/settings.py").read_text())
    told = re.findall(r"^\| `(\w+)`", Path("docs/settings.md").read_text(), re.MULTILINE)
    assert sorted(told) == sorted({*read})
