"""What a shell may complete: names of products and tenants, as the specs have them."""

import os
from collections.abc import Iterable
from pathlib import Path

import typer

from tenantry.errors import SettingsError
from tenantry.settings import load_settings
from tenantry.specs.extends import PRODUCT_FILE


def complete_product(incomplete: str) -> Iterable[str]:
    """Yield the products whose names begin so."""
    return _beginning(incomplete, _folders())


def complete_tenant(ctx: typer.Context, incomplete: str) -> Iterable[str]:
    """Yield the tenants of the product on the line whose names begin so."""
    product = str(ctx.params.get("product") or "")
    folder = _specs() / product
    if not product or "/" in product or not folder.is_dir():
        return []
    names = (entry.name for entry in os.scandir(folder) if entry.name != PRODUCT_FILE)
    return _beginning(incomplete, (Path(name).stem for name in names if name.endswith(".yaml")))


def _folders() -> Iterable[str]:
    specs = _specs()
    if not specs.is_dir():
        return []
    return [path.parent.name for path in specs.glob(f"*/{PRODUCT_FILE}")]


def _specs() -> Path:
    try:
        return load_settings().specs
    except SettingsError:  # a shell that completes has no place for messages
        return Path()


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
