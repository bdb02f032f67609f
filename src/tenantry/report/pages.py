"""Self-contained pages: templates that escape, and styles and scripts that their policy allows."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from jinja2.meta import find_referenced_templates


class Page:
    """A self-contained page: a template that extends `page.html`, with its style and script.

    Whatever it shows is escaped, and its policy lets nothing run but that very style and script.
    """

    def __init__(
        self,
        template: str,
        styles: Sequence[str],
        scripts: Sequence[str] = (),
        **filters: Callable[..., str],
    ) -> None:
        """Name a page's files, all of this package, and filters of its own; nothing is read yet."""
        self._name, self._styles, self._scripts = template, styles, scripts
        self._filters = filters

    def load(self) -> None:
        """Read the template, what it names, style and script now, as before workers are forked."""
        environment, _ = self._template.environment, self._assets
        source = files("tenantry.report").joinpath("templates", self._name).read_text("utf-8")
        for name in find_referenced_templates(environment.parse(source)):
            environment.get_template(str(name))

    def render(self, **values: object) -> str:
        """Return the page as HTML; equal values give equal bytes."""
        return self._template.render(**values, **self._assets)

    @cached_property
    def _template(self) -> Template:
        environment = Environment(
            loader=PackageLoader("tenantry.report", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= self._filters
        return environment.get_template(self._name)

    @cached_property
    def _assets(self) -> dict[str, str]:
        style, script = _read(self._styles), _read(self._scripts)
        return {
            "style": style,
            "style_hash": _hash(style),
            "script": script,
            "script_hash": _hash(script),
        }


def _read(names: Sequence[str]) -> str:
    folder = files("tenantry.report").joinpath("templates")
    return "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


def _hash(text: str) -> str:
    """Return the hash by which a page's policy lets this very text run."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
