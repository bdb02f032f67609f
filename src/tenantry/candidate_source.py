"""An estimator as the source of a candidate: the function to register and the lines of the spec."""

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from sklearn.base import BaseEstimator

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

_FUNCTION = '''\
"""Candidates that were found on the workbench."""

{imports}

from tenantry.models.fitted import FittedModel
from tenantry.training.candidates import Material, recipe
from tenantry.training.estimators import fit_estimator


@recipe("{name}")
def fit_{name}(material: Material) -> FittedModel:
    """Fit {kind} to the tenant's own rows{seen}."""
    estimator = {estimator}
    return fit_estimator("{name}", material, estimator{stacked})
'''

_SPEC = """\
model:
  candidates:
    {name}: {{}}
"""


@dataclass(frozen=True)
class CandidateSource:
    """What makes an estimator a candidate.

    Attributes:
        name: What a spec calls it.
        function: Source of a module with the registered function.
        spec: The lines of the product's or the tenant's YAML.
    """

    name: str
    function: str
    spec: str

    def __str__(self) -> str:
        """Both, to be copied."""
        return f"# --- the function\n{self.function}\n# --- the spec\n{self.spec}"


def write_candidate(
    name: str, estimator: BaseEstimator, *, stacked: bool = False
) -> CandidateSource:
    """Write an estimator as a candidate.

    Args:
        name: What the spec is to call it: lower case, digits and `_`.
        estimator: Not fitted; what it is made of must be importable and its parameters have a
            literal form, as those of scikit-learn do.
        stacked: Whether it also sees the pooled model's score.

    Raises:
        ValueError: The name cannot be one, or the estimator cannot be written as source.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        msg = f"{name!r} is no name of a candidate; use lower case, digits and _"
        raise ValueError(msg)
    written = estimator.__repr__(N_CHAR_MAX=10**9)
    imports = sorted({f"from {module} import {kind}" for module, kind in _needs(estimator)})
    _check(written, "\n".join(imports))
    function = _FUNCTION.format(
        imports="\n".join(imports),
        name=name,
        kind=type(estimator).__name__,
        seen=" and the pooled model's score" if stacked else "",
        stacked=", stacked=True" if stacked else "",
        estimator=written.replace("\n", "\n    "),
    )
    return CandidateSource(name, function, _SPEC.format(name=name))


def _needs(value: object) -> Iterator[tuple[str, str]]:
    """Yield module and class of all estimators that a value is made of."""
    if isinstance(value, BaseEstimator):
        kind = type(value)
        yield _public(kind), kind.__name__
        for part in value.get_params(deep=False).values():
            yield from _needs(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _needs(part)


def _public(kind: type) -> str:
    """Return the module that a class is meant to be imported from."""
    parts = kind.__module__.split(".")
    places = [place for place, part in enumerate(parts) if part.startswith("_")]
    short = ".".join(parts[: places[0]]) if places else kind.__module__
    return short if hasattr(import_module(short), kind.__name__) else kind.__module__


def _check(written: str, imports: str) -> None:
    """See that what was written makes the same estimator again."""
    names: dict[str, object] = {}
    try:
        exec(imports, names)  # noqa: S102 - imports of what the caller holds already
        made = eval(written, names)  # noqa: S307 - the text that its own repr gave
    except Exception as error:
        msg = f"cannot be written as source, write the function by hand: {error}"
        raise ValueError(msg) from None
    if made.__repr__(N_CHAR_MAX=10**9) != written:
        msg = "cannot be written as source: its parameters have no literal form"
        raise ValueError(msg)
