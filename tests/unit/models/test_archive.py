"""Model files: equal models give equal bytes, and nothing foreign is ever opened."""

import io
import json
import os
import subprocess
import sys
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib import format as npy
from sklearn.cluster import KMeans
from sklearn.preprocessing import FunctionTransformer

from tenantry.digests import sha256
from tenantry.errors import ModelFileError
from tenantry.models import archive
from tenantry.models.archive import content_digest, pack, unpack
from tenantry.models.fitted import link_scores
from tests.unit.models.pipelines import RECIPES, fitted
from tests.unit.tiny_fleet import make_table


@pytest.fixture(scope="module")
def table():
    return make_table(rows=400)


def opened(archive):
    return unpack(archive, "model.skops", sha256(archive))


def rezipped(archive, **changed):
    """Write an archive anew, entries in the order given, times of now, with entries changed."""
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        entries = {name: file.read(name) for name in file.namelist()} | changed
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in sorted(entries, reverse=True):
            file.writestr(name, entries[name])
    return buffer.getvalue()


def with_schema(archive, old, new):
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        schema = file.read("schema.json").decode()
    assert old in schema
    return rezipped(archive, **{"schema.json": schema.replace(old, new).encode()})


@pytest.mark.parametrize("name", RECIPES)
def test_every_pipeline_scores_exactly_as_before_it_was_saved(name, table):
    pipeline = fitted(name, table)
    loaded = opened(pack({"own": pipeline}))["own"]
    np.testing.assert_array_equal(link_scores(loaded, table), link_scores(pipeline, table))


@pytest.mark.parametrize("name", RECIPES)
def test_two_fits_and_a_loaded_model_give_the_same_bytes(name, table):
    first, second = (pack({"own": fitted(name, table), "weight": 0.3}) for _ in range(2))
    assert first == second == pack(opened(first))


@pytest.mark.parametrize("threads", ["1", "2"])
def test_two_processes_give_the_same_bytes(table, threads):
    program = (
        "import sys;"
        "from tenantry.models.archive import pack;"
        "from tests.unit.models.pipelines import RECIPES, fitted;"
        "from tests.unit.tiny_fleet import make_table;"
        "from tenantry.digests import sha256;"
        "table = make_table(rows=400);"
        "print({name: sha256(pack({'own': fitted(name, table)})) for name in RECIPES})"
    )
    command, env = [sys.executable, "-c", program], os.environ | {"OMP_NUM_THREADS": threads}
    found = subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout
    here = {name: sha256(pack({"own": fitted(name, table)})) for name in RECIPES}
    assert found.strip() == str(here)


def test_the_content_digest_sees_content_only(table):
    archive = pack({"own": fitted("trees", table)})
    assert content_digest(rezipped(archive)) == content_digest(archive)
    other = pack({"own": fitted("trees", make_table(rows=401))})
    assert content_digest(other) != content_digest(archive)


def test_a_file_holds_neither_addresses_nor_times(table):
    with zipfile.ZipFile(io.BytesIO(pack({"own": fitted("trees", table)}))) as file:
        assert {info.date_time[0] for info in file.infolist()} == {1980}
        assert b"__id__" not in file.read("schema.json")


@pytest.mark.parametrize("position", [0, 200, -1])
def test_tampered_bytes_are_never_opened(position, table):
    archive = pack({"own": fitted("logistic", table)})
    broken = bytearray(archive)
    broken[position] ^= 1
    with pytest.raises(ModelFileError, match=r"^model\.skops: not the file that was written"):
        unpack(bytes(broken), "model.skops", sha256(archive))


HOSTILE = {
    "a function to call": ('"__class__":"LogisticRegression"', '"__class__":"system"'),
    "another module": ('"sklearn.linear_model._logistic"', '"os"'),
    "another builder": ('"__loader__":"ObjectNode"', '"__loader__":"FunctionNode"'),
    "a partial": ('"__loader__":"DictNode"', '"__loader__":"PartialNode"'),
    "a method": ('"__loader__":"ObjectNode"', '"__loader__":"MethodNode"'),
    "no builder": ('"__loader__":"ObjectNode",', ""),
    "an old protocol": ('"protocol":', '"protocol":0,"was":'),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_though_its_digest_fits(change, table):
    hostile = with_schema(pack({"own": fitted("logistic", table)}), *change)
    with pytest.raises(ModelFileError, match=r"^model\.skops: "):
        opened(hostile)


# --- files made to harm, whose digest fits --------------------------------------------------------


def entries(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return {name: file.read(name) for name in file.namelist()}


def zipped(contents, method=zipfile.ZIP_DEFLATED):
    """Write entries, given as pairs, so that a name can be there twice."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as file:
        warnings.simplefilter("ignore", UserWarning)  # duplicate names are what is tested
        for name, content in contents:
            file.writestr(name, content)
    return buffer.getvalue()


def npy_of(array, **changed):
    buffer = io.BytesIO()
    header = npy.header_data_from_array_1_0(array) | changed
    npy.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + array.tobytes()


LARGEST = 2**24
"""What a file may be here, unpacked: a mass that a test makes in no time."""


def bomb(_archive):
    """A few names for a mass of zeros, in a file of a few kilobytes."""
    zeros = bytes(LARGEST // 2)
    names = [f"{digit * 32}.npy" for digit in "abc"]
    return zipped([("schema.json", b"{}"), *((name, zeros) for name in names)])


def understated(archive):
    """A bomb whose directory says that it is small."""
    content = zipped([("schema.json", b" " * 10_000_000)])
    return content.replace((10_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))


def nested(archive):
    return rezipped(archive, **{"schema.json": b"[" * 10_000_000})


def one_array(archive, content):
    name = next(name for name in entries(archive) if name.endswith(".npy"))
    return rezipped(archive, **{name: content})


def encrypted(archive):
    broken = bytearray(archive)
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = -1
        while (place := archive.find(mark, place + 1)) >= 0:
            broken[place + offset] |= 1
    return bytes(broken)


HARMFUL = {
    "truncated": lambda archive: archive[: len(archive) // 2],
    "truncated by a byte": lambda archive: archive[:-1],
    "without its beginning": lambda archive: archive[100:],
    "a bomb": bomb,
    "a bomb that says it is small": understated,
    "a schema nested deeply": nested,
    "an entry twice": lambda archive: zipped([*entries(archive).items(), ("schema.json", b"{}")]),
    "another entry": lambda archive: rezipped(archive, **{"run.py": b"import os"}),
    "an entry outside": lambda archive: rezipped(archive, **{"../model.npy": b""}),
    "encrypted": encrypted,
    "pickled objects": lambda archive: one_array(archive, npy_of(np.zeros(1), descr="|O")),
    "an array larger than it is": lambda archive: one_array(
        archive, npy_of(np.zeros(3), shape=(10**12,))
    ),
    "an array with a negative length": lambda archive: one_array(
        archive, npy_of(np.zeros(3), shape=(-3,))
    ),
    "no array": lambda archive: one_array(archive, b"\x80\x04N."),
    "an array's header that is code": lambda archive: one_array(
        archive, b"\x93NUMPY\x01\x00\x0e\x00__import__('x')"
    ),
}


@pytest.mark.parametrize("harm", HARMFUL.values(), ids=HARMFUL)
def test_a_harmful_file_is_refused_before_skops_sees_it(harm, table, monkeypatch):
    harmful = harm(pack({"own": fitted("trees", table)}))
    monkeypatch.setattr(archive, "MAX_BYTES", LARGEST)
    monkeypatch.setattr(skops.io, "loads", lambda *_, **__: pytest.fail("skops saw it"))
    tracemalloc.start()
    with pytest.raises(ModelFileError, match=r"^model\.skops: not a model file"):
        opened(harmful)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * LARGEST


_ARCHIVE = pack({"own": fitted("logistic", make_table(rows=400))})


def changed(data, content):
    """Change a few bytes."""
    broken = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    return bytes(broken)


def open_or_refuse(content):
    try:
        found = opened(content)
    except ModelFileError as error:
        assert str(error).startswith("model.skops: ")  # noqa: PT017
    else:
        assert isinstance(found, dict)


@settings(max_examples=100)
@given(st.data())
def test_whatever_bytes_are_changed_a_file_opens_or_is_refused_in_words(data):
    open_or_refuse(changed(data, _ARCHIVE))


@settings(max_examples=300)
@given(st.data(), st.sampled_from(sorted(entries(_ARCHIVE))))
def test_whatever_is_changed_inside_a_file_opens_or_is_refused_in_words(data, name):
    content = changed(data, entries(_ARCHIVE)[name])
    open_or_refuse(rezipped(_ARCHIVE, **{name: content}))


def test_types_that_skops_trusts_but_we_do_not_ship_are_refused():
    archive = skops.io.dumps({"own": KMeans()})
    with pytest.raises(ModelFileError, match="KMeans"):
        opened(archive)
    with pytest.raises(ModelFileError, match="KMeans"):
        pack({"own": KMeans()})
    with pytest.raises(ModelFileError, match=r"numpy\.exp"):
        pack({"own": FunctionTransformer(np.exp)})


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x04N."])
def test_what_is_no_archive_is_refused(content):
    with pytest.raises(ModelFileError, match="not a model file"):
        opened(content)


def test_an_archive_of_something_else_is_refused():
    with pytest.raises(ModelFileError, match="holds a list"):
        opened(rezipped(skops.io.dumps([1, 2])))
    with pytest.raises(ModelFileError, match="not a model file"):
        opened(rezipped(b"PK\x05\x06" + bytes(18), other=b""))


def test_a_model_of_another_version_of_scikit_learn_is_refused(table):
    import sklearn

    archive = pack({"own": fitted("logistic", table)})
    old = with_schema(archive, json.dumps(json.dumps(sklearn.__version__)), '"\\"1.2.0\\""')
    with warnings.catch_warnings(), pytest.raises(ModelFileError, match="cannot be read"):
        opened(old)
