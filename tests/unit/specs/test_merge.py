from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.specs.merge import merge

keys = st.sampled_from("abcd")
scalars = st.booleans() | st.integers(0, 3) | st.text("xy", max_size=2)
lists = st.lists(scalars | st.none(), max_size=3)


def maps(leaves: Any) -> Any:
    return st.recursive(
        st.dictionaries(keys, leaves, max_size=3),
        lambda inner: st.dictionaries(keys, leaves | inner, max_size=3),
        max_leaves=8,
    )


bases = maps(scalars | lists)
patches = maps(scalars | lists | st.none())


def shuffled(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: shuffled(value[key]) for key in reversed(value)}


def holds_null(value: Any) -> bool:
    return isinstance(value, dict) and any(
        inner is None or holds_null(inner) for inner in value.values()
    )


@given(bases)
def test_an_empty_patch_changes_nothing(base: Any) -> None:
    assert merge(base, {}) == base


@given(bases)
def test_a_patch_over_nothing_is_itself(patch: Any) -> None:
    assert merge({}, patch) == patch


@given(bases, patches)
def test_merging_twice_is_merging_once(base: Any, patch: Any) -> None:
    once = merge(base, patch)
    assert merge(once, patch) == once


@given(bases, patches)
def test_neither_argument_changes(base: Any, patch: Any) -> None:
    before = deepcopy((base, patch))
    merge(base, patch)
    assert (base, patch) == before


@given(bases, patches)
def test_the_order_of_keys_does_not_matter(base: Any, patch: Any) -> None:
    assert merge(shuffled(base), shuffled(patch)) == merge(base, patch)


@given(bases, patches)
def test_no_null_is_left(base: Any, patch: Any) -> None:
    assert not holds_null(merge(base, patch))


@given(bases, patches, keys)
def test_null_removes(base: Any, patch: Any, key: str) -> None:
    merged = merge(base, patch | {key: None})
    assert key not in merged
    assert merged == {name: value for name, value in merge(base, patch).items() if name != key}


@given(bases, keys, lists)
def test_lists_replace(base: Any, key: str, values: Any) -> None:
    assert merge(base, {key: values})[key] == values


@given(bases, bases, keys)
def test_maps_merge_at_every_depth(base: Any, patch: Any, key: str) -> None:
    assert merge({key: base}, {key: patch}) == {key: merge(base, patch)}


@given(bases, patches)
def test_what_the_patch_does_not_name_is_shared(base: Any, patch: Any) -> None:
    merged = merge(base, patch)
    assert all(merged[key] is base[key] for key in base if key not in patch)


@pytest.mark.parametrize(
    ("base", "patch", "merged"),
    [
        ({"a": 1}, {"a": {"b": 2, "c": None}}, {"a": {"b": 2}}),
        ({"a": {"b": 2}}, {"a": 1}, {"a": 1}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, {"b": None}, {"a": 1}),
        ({"a": [{"b": 1}]}, {"a": [None]}, {"a": [None]}),
    ],
)
def test_examples(base: Any, patch: Any, merged: Any) -> None:
    assert merge(base, patch) == merged
