"""What self-contained pages are made of: templates that escape, styles, and their hashes."""

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, Template


def find_template(name: str, **filters: Callable[..., str]) -> Template:
    """Return a template of this package, with filters of its own; whatever it shows is escaped."""
    environment = Environment(
        loader=PackageLoader("tenantry.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment.get_template(name)


@cache
def read_asset(name: str) -> str:
    """Return a style or a script of this package."""
    return files("tenantry.report").joinpath("templates", name).read_text(encoding="utf-8")


def hash_for_policy(text: str) -> str:
    """Return the hash by which a page's policy lets this very text run."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
