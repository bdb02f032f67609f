"""Specs as they would be with some files more; the real ones are never touched."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from tenantry.specs.load import Fleet, load_product


def load_draft(specs: Path, product: str, files: Mapping[str, str], connections: Path) -> Fleet:
    """Load a product as if some files were written.

    Args:
        specs: The folder of specs; it need not exist.
        product: The product.
        files: Path below the folder → text; in place of what is there.
        connections: The file of named connections.

    Raises:
        SpecError: All faults of all files.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        _link(specs, folder, apart=product)
        (folder / product).mkdir(exist_ok=True)
        _link(specs / product, folder / product)
        for name, text in files.items():
            path = folder / name
            path.unlink(missing_ok=True)
            path.write_text(text, encoding="utf-8")
        own = folder / "connections.yaml"
        return load_product(folder, product, connections=own if own.name in files else connections)


def _link(source: Path, target: Path, apart: str = "") -> None:
    if source.is_dir():
        for path in source.iterdir():
            if path.name != apart:
                (target / path.name).symlink_to(path.resolve())
