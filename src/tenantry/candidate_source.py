"""An estimator as the source of a candidate: the function to register and the lines of the spec."""

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from sklearn.base import BaseEstimator

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

_MODULE = re.compile(r"[a-z_]\w*(\.[a-z_]\w*)*")

_FUNCTION = '''\
"""Candidates that were found on the workbench."""

{imports}

from tenantry.models.fitted import FittedModel
from tenantry.training.candidates import Material
from tenantry.training.estimators import fit_estimator


def fit_{name}(material: Material) -> FittedModel:
    """Fit {kind} to the tenant's own rows."""
    estimator = {estimator}
    return fit_estimator("{name}", material, estimator)
'''

_SPEC = """\
model:
  candidates:
    "{recipe}": {{}}
"""

_ALLOWED = """\
recipes:
  "{recipe}": {{}}
"""


@dataclass(frozen=True)
class CandidateSource:
    """What makes an estimator a candidate.

    Attributes:
        recipe: What a spec calls it, ``module:function``.
        function: Source of the module.
        spec: The lines of the product's or the tenant's YAML.
        allowed: The lines of the file that `TENANTRY_RECIPES` names, the platform's.
    """

    recipe: str
    function: str
    spec: str
    allowed: str

    def __str__(self) -> str:
        """All three, to be copied."""
        module = self.recipe.partition(":")[0].replace(".", "/")
        parts = (
            (f"{module}.py, installed where models are trained", self.function),
            ("the spec of a product or a tenant", self.spec),
            ("the platform's list of recipes, TENANTRY_RECIPES", self.allowed),
        )
        return "\n".join(f"# --- {title}\n{text}" for title, text in parts)


def write_candidate(
    name: str, estimator: BaseEstimator, *, module: str = "workbench_candidates"
) -> CandidateSource:
    """Write an estimator as a candidate: a recipe that the platform has to allow.

    Args:
        name: The function will be ``fit_<name>``: lower case, digits and `_`.
        estimator: Not fitted; what it is made of must be importable and its parameters have a
            literal form, as those of scikit-learn do.
        module: Where the function will be importable from.

    Raises:
        ValueError: The name cannot be one, or the estimator cannot be written as source.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        msg = f"{name!r} is no name of a candidate; use lower case, digits and _"
        raise ValueError(msg)
    if not _MODULE.fullmatch(module):
        msg = f"{module!r} is no module's name"
        raise ValueError(msg)
    written = estimator.__repr__(N_CHAR_MAX=10**9)
    imports = sorted({f"from {module} import {kind}" for module, kind in _needs(estimator)})
    _check(written, "\n".join(imports))
    function = _FUNCTION.format(
        imports="\n".join(imports),
        name=name,
        kind=type(estimator).__name__,
        estimator=written.replace("\n", "\n    "),
    )
    recipe = f"{module}:fit_{name}"
    spec, allowed = (text.format(recipe=recipe) for text in (_SPEC, _ALLOWED))
    return CandidateSource(recipe, function, spec, allowed)


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
