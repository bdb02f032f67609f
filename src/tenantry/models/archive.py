"""Model files: skops archives with one form for equal models, opened against our own allow-list.

A skops file is a zip with `schema.json` and arrays. As skops writes it, it holds object addresses
and times, so that no two are alike. Ours are rewritten: addresses are left out, arrays are named
by their content, entries are sorted and carry a fixed date. Never pickle.
"""

import hashlib
import io
import json
import math
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import skops.io
from numpy.lib import format as npy
from sklearn.exceptions import InconsistentVersionWarning

from tenantry.digests import sha256
from tenantry.errors import ModelFileError
from tenantry.models.trees import with_packed_trees, with_whole_trees
from tenantry.recipes import allowed_types

_SKLEARN_TYPES = (
    "_loss._loss.CyHalfBinomialLoss",
    "_loss._loss.CyHalfMultinomialLoss",
    "_loss._loss.CyHalfSquaredError",
    "_loss.link.IdentityLink",
    "_loss.link.Interval",
    "_loss.link.LogitLink",
    "_loss.link.MultinomialLogit",
    "_loss.loss.HalfBinomialLoss",
    "_loss.loss.HalfMultinomialLoss",
    "_loss.loss.HalfSquaredError",
    "compose._column_transformer.ColumnTransformer",
    "dummy.DummyClassifier",
    "dummy.DummyRegressor",
    "ensemble._hist_gradient_boosting.binning._BinMapper",
    "ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
    "ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor",
    "feature_extraction.text.TfidfTransformer",
    "impute._base.MissingIndicator",
    "impute._base.SimpleImputer",
    "linear_model._logistic.LogisticRegression",
    "linear_model._ridge.Ridge",
    "model_selection._split.KFold",
    "pipeline.Pipeline",
    "preprocessing._data.StandardScaler",
    "preprocessing._encoders.OneHotEncoder",
    "preprocessing._encoders.OrdinalEncoder",
    "preprocessing._function_transformer.FunctionTransformer",
    "preprocessing._label.LabelBinarizer",
    "preprocessing._label.LabelEncoder",
    "preprocessing._target_encoder.TargetEncoder",
)
ALLOWED_TYPES = frozenset(
    {f"builtins.{name}" for name in ("bool", "dict", "float", "int", "list", "slice", "str")}
    | {"builtins.tuple", "numpy.dtype", "numpy.ndarray", "numpy.random._generator.Generator"}
    | {f"numpy.{name}" for name in ("bool", "float32", "float64", "int32", "int64", "uint64")}
    | {f"sklearn.{name}" for name in _SKLEARN_TYPES}
    | {f"tenantry.models.words.{name}" for name in ("Words", "WordScore")}
)
"""Every type that a model file may name, but for those of recipes that the platform allows."""

ALLOWED_LOADERS = frozenset(
    f"{name}Node"
    for name in ("Dict", "DType", "Json", "List", "Loss", "NdArray", "Object", "RandomGenerator")
) | {"SliceNode", "TupleNode", "TypeNode"}
"""Every way in which skops may build them: no functions, methods, partials or constructors."""

_OLDEST_PROTOCOL = 2
"""Of skops; older ones are built by code that nothing of ours ever needed."""

MAX_BYTES = 512 * 2**20
"""Of a model file when it is unpacked; ours take a thousandth of that."""

_ENTRY = re.compile(r"schema\.json|[0-9a-f]{32}\.npy")

_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, EOFError, RuntimeError),  # RuntimeError: encrypted
    *(KeyError, TypeError, ValueError, OverflowError, MemoryError),
)
"""What reading a broken archive raises."""

_DATE = (1980, 1, 1, 0, 0, 0)
_SCHEMA = "schema.json"


def pack(content: dict[str, object]) -> bytes:
    """Write pipelines and plain values as an archive; equal content gives equal bytes.

    Raises:
        ModelFileError: The content holds a type outside the allow-list, which could not be read.
    """
    entries = _canonical_entries(skops.io.dumps(with_packed_trees(content)))
    _check_types(json.loads(entries[_SCHEMA]), "the model")
    return _zipped(entries)


def unpack(archive: bytes, place: str, file_digest: str) -> dict[str, Any]:
    """Read what `pack` wrote; nothing is opened before the digest and the types are checked.

    Args:
        archive: The file's bytes.
        place: Its key, for the error.
        file_digest: SHA-256 that the bytes must have, from a card or pointer.

    Raises:
        ModelFileError: Other bytes than the digest says, a foreign type, a broken archive, or a
            model of another version of scikit-learn.
    """
    if sha256(archive) != file_digest:
        msg = f"{place}: not the file that was written (digest); train again or restore it"
        raise ModelFileError(msg)
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as file:
            _check_entries(file.infolist())
            schema = json.loads(file.read(_SCHEMA))
            protocol = int(schema["protocol"])
            for name in set(file.namelist()) - {_SCHEMA}:
                _check_array(file.read(name))
    except _BROKEN as error:
        msg = f"{place}: not a model file ({type(error).__name__}); train again"
        raise ModelFileError(msg) from None
    if protocol < _OLDEST_PROTOCOL:
        msg = f"{place}: written in protocol {protocol} of skops, before our oldest; train again"
        raise ModelFileError(msg)
    return _loaded(archive, place, _check_types(schema, place))


def _check_entries(entries: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse what `pack` never writes: an entry twice, another file, more than fits in memory.

    Raises:
        ValueError: There is such an entry.
    """
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names) or not all(map(_ENTRY.fullmatch, names)):
        msg = "an entry is there twice, or is neither the schema nor an array"
        raise ValueError(msg)
    if sum(entry.file_size for entry in entries) > MAX_BYTES:  # zipfile reads no more than it says
        msg = f"unpacked it is larger than {MAX_BYTES:,} bytes"
        raise ValueError(msg)


def _check_array(content: bytes) -> None:
    """Refuse an array that holds objects, or is not as large as its header says.

    Raises:
        ValueError: It is one.
    """
    file = io.BytesIO(content)
    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(file)
    except Exception as error:  # numpy raises whatever its parsers raise
        msg = "an array has no header"
        raise ValueError(msg) from error
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        msg = "an array holds objects, or is not as large as it says"
        raise ValueError(msg)


def content_digest(archive: bytes) -> str:
    """Return the SHA-256 of an archive's content: names and uncompressed bytes of its entries."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        parts = [(name, file.read(name)) for name in sorted(file.namelist())]
    found = hashlib.sha256()
    for name, part in parts:
        found.update(f"{name}\n{len(part)}\n".encode() + part)
    return found.hexdigest()


def _loaded(archive: bytes, place: str, types: Iterable[str]) -> dict[str, Any]:
    """Load an archive of these types, all allowed: skops looks through them for every object."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        try:
            content = skops.io.loads(archive, trusted=sorted(types))
            if isinstance(content, dict):
                return with_whole_trees(content)
        except Exception as error:  # skops raises whatever the broken part raises
            msg = f"{place}: cannot be read ({type(error).__name__}); train again"
            raise ModelFileError(msg) from error
    msg = f"{place}: holds a {type(content).__name__}, not a model; train again"
    raise ModelFileError(msg)


def _canonical_entries(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        contents = {name: file.read(name) for name in file.namelist()}
    schema = json.loads(contents.pop(_SCHEMA))
    names = {name: f"{sha256(part)[:32]}.npy" for name, part in contents.items()}
    for node in _nodes(schema):
        node.pop("__id__", None)
        if "file" in node:
            node["file"] = names[node["file"]]
    text = json.dumps(schema, separators=(",", ":"))
    return {_SCHEMA: text.encode()} | {names[name]: part for name, part in contents.items()}


def _nodes(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Yield every dictionary of a schema that stands for an object."""
    stack = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            if "__class__" in part or "__loader__" in part:
                yield part
            stack += part.values()
        elif isinstance(part, list):
            stack += part


def _check_types(schema: Any, place: str) -> set[str]:  # noqa: ANN401 - JSON
    """Return the types that a schema names.

    Raises:
        ModelFileError: One of them, or of the ways to build them, is not allowed.
    """
    found: set[str] = set()
    foreign, allowed = set(), ALLOWED_TYPES | allowed_types()
    for node in _nodes(schema):
        name = f"{node.get('__module__')}.{node.get('__class__')}"
        found.add(name)
        if name not in allowed:
            foreign.add(name)
        if node.get("__loader__") not in ALLOWED_LOADERS:
            foreign.add(f"{node.get('__loader__')} of {name}")
    if foreign:
        msg = f"{place}: holds types that no model of ours has: {', '.join(sorted(foreign)[:5])}"
        raise ModelFileError(msg)
    return found


def _zipped(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, date_time=_DATE)
            info.create_system = 3  # as on Unix, wherever it is written
            info.external_attr = 0o600 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, entries[name], compresslevel=6)
    return buffer.getvalue()
