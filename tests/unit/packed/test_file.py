"""Packed models keep every bit in their files, and other bytes are refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantry.errors import ModelFileError
from tenantry.features.recipe import own_frame, pooled_frame
from tenantry.packed.file import read_model, read_part, write_model, write_part
from tenantry.packed.make import pack_model
from tenantry.training.lessons import Lessons
from tests.unit.tiny_fleet import AS_OF, CANDIDATES, make_spec, make_table
from tests.unit.training.chains import CUTS, make_chain

SPEC = make_spec("ua", candidates=CANDIDATES | {"adapted": {}})
TABLE = make_table("ua", rows=600)


@pytest.fixture(scope="module")
def models():
    lessons = Lessons(TABLE, SPEC, make_chain(cuts=CUTS[::4], rows=500))
    return {name: pack_model(lessons.fit(name, AS_OF)) for name in SPEC.model.candidates}


@pytest.fixture(scope="module")
def adapted(models):
    return write_model(models["adapted"]), models["adapted"].pooled


def test_files_give_the_same_scores(models):
    frames = own_frame(TABLE, SPEC), pooled_frame(TABLE, SPEC)
    for model in models.values():
        pooled = read_part(write_part(model.pooled)) if model.pooled is not None else None
        found = read_model(write_model(model), pooled)
        np.testing.assert_array_equal(found.predict(*frames), model.predict(*frames))
        assert write_model(found) == write_model(model)


def test_a_tenants_file_does_not_hold_the_pooled_splits(models):
    assert len(write_model(models["pooled"])) < 300
    assert len(write_model(models["adapted"])) < 300 + models["adapted"].leaves.nbytes
    assert len(write_part(models["adapted"].pooled)) > 3 * models["adapted"].leaves.nbytes


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_broken_file_is_refused_or_scores(adapted, data):
    content, pooled = adapted
    content = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 250))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(content)))
    for broken in (bytes(content), bytes(content[:end])):
        try:
            found = read_model(broken, pooled)
        except ModelFileError:
            continue
        found.predict(own_frame(TABLE, SPEC)[:2], pooled_frame(TABLE, SPEC)[:2])


def changed(content, **changes):
    """Return a file with other parts in its header."""
    length = int.from_bytes(content[18:26], "little")
    header = json.loads(content[26 : 26 + length])
    header = (
        header | changes if "part" not in header else {**header, "part": header["part"] | changes}
    )
    text = json.dumps(header).encode()
    text += b" " * (-(26 + len(text)) % 8)
    return content[:18] + len(text).to_bytes(8, "little") + text + content[26 + length :]


@pytest.mark.parametrize(
    "changes",
    [
        {"form": "blend"},
        {"form": "other"},
        {"task": "multiclass"},
        {"weight": "much"},
        {"arrays": [["|O8", 3]]},
        {"arrays": [["<f8", -1]]},
        {"leaves": 7},
        {"own": {"kind": "linear"}},
    ],
)
def test_a_header_that_says_otherwise_is_refused(adapted, changes):
    content, pooled = adapted
    with pytest.raises(ModelFileError, match="promote again"):
        read_model(changed(content, **changes), pooled)


def test_leaves_that_do_not_fit_the_pooled_trees_are_refused(models):
    content = write_model(models["adapted"])
    model = Lessons(TABLE, SPEC, make_chain(cuts=CUTS[-1:], rows=100)).fit("pooled", AS_OF)
    with pytest.raises(ModelFileError, match="ValueError"):
        read_model(content, pack_model(model).pooled)


@pytest.mark.parametrize("names", [["hour"], ["hour"] * 9])
def test_names_that_do_not_fit_the_arrays_are_refused(models, names):
    content = write_part(models["logistic"].own)
    with pytest.raises(ModelFileError):
        read_part(changed(content, names=names))


def test_trees_that_would_never_end_are_refused(models):
    part = models["pooled"].pooled
    content = write_part(part)
    header_end = 26 + int.from_bytes(content[18:26], "little")
    left = part.forest.left.tobytes()
    place = content.index(left, header_end)
    looped = content[:place] + bytes(8) * len(part.forest.left) + content[place + len(left) :]
    with pytest.raises(ModelFileError, match="ValueError"):
        read_part(looped)
