import os
import shutil

import pytest

from tenantry import layout
from tenantry.errors import SpecError
from tenantry.specs.bundle import (
    declared_specs,
    find_published,
    find_superseded,
    publish,
    read_folder,
    read_published,
    withdraw,
)
from tenantry.specs.load import load_product
from tests.unit.memory_store import MemoryStore


@pytest.fixture
def store():
    return MemoryStore()


def test_what_was_published_is_read_again_as_it_was(specs, store, tmp_path):
    bundle = read_folder(specs.folder)
    assert set(bundle.files) == {"connections.yaml", "churn/product.yaml", "churn/acme.yaml"}
    assert publish(store, bundle) == ""
    assert read_published(store) == bundle
    with declared_specs(tmp_path / "none", store) as folder:
        assert load_product(folder, "churn") == specs.load()
    assert not folder.exists()


def test_publishing_the_same_again_writes_nothing(specs, store):
    publish(store, read_folder(specs.folder))
    before = dict(store.objects)
    publish(store, read_folder(specs.folder))
    assert store.objects == before


def test_another_push_is_another_bundle_and_the_old_one_stays(specs, store):
    first = read_folder(specs.folder)
    publish(store, first)
    specs.tenant("pooling: {contribute: false}\n")
    second = read_folder(specs.folder)
    assert publish(store, second) == first.digest
    assert find_published(store) == second.digest
    assert store.find(layout.specs_bundle(first.digest))
    publish(store, first)
    assert find_published(store) == first.digest


def publish_three(specs, store):
    """Publish three bundles one after the other; return the first."""
    first = read_folder(specs.folder)
    publish(store, first)
    for name in ("bb", "cc"):
        specs.tenant("", name)
        publish(store, read_folder(specs.folder))
    return first


def test_superseded_is_what_neither_holds_nor_held_before(specs, store):
    assert list(find_superseded(store)) == []
    first = publish_three(specs, store)
    assert [info.key for info in find_superseded(store)] == [layout.specs_bundle(first.digest)]


def test_a_bundle_that_is_published_again_while_it_is_withdrawn_is_put_back(specs, store):
    first = publish_three(specs, store)
    purge = store.purge

    def purge_late(place):
        publish(store, first)
        return purge(place)

    store.purge = purge_late
    withdraw(store, layout.specs_bundle(first.digest))
    assert read_published(store) == first


def test_a_bundle_that_is_withdrawn_while_it_is_published_again_is_put_back(specs, store):
    first = publish_three(specs, store)
    put = store.put

    def put_and_lose(key, content):
        put(key, content)
        store.put = put
        withdraw(store, key)

    store.put = put_and_lose
    publish(store, first)
    assert read_published(store) == first


def test_who_was_overtaken_publishes_nothing(specs, store):
    older = read_folder(specs.folder)
    specs.tenant("pooling: {contribute: false}\n")
    newer = read_folder(specs.folder)
    seen = find_published(store)
    publish(store, newer, seen)
    with pytest.raises(SpecError, match="were published meanwhile"):
        publish(store, older, seen)
    assert find_published(store) == newer.digest
    publish(store, newer, seen)  # the same again is no harm
    publish(store, older, newer.digest)  # a revert
    assert find_published(store) == older.digest


def test_what_is_wrong_is_not_published(specs):
    specs.tenant("gate: {min_rows: -5}\n")
    specs.tenant("state: asleep\n", name="beta")
    with pytest.raises(SpecError) as caught:
        read_folder(specs.folder)
    assert len(caught.value.faults) >= 2


def test_an_empty_folder_is_never_published(tmp_path):
    with pytest.raises(SpecError, match="declares no product"):
        read_folder(tmp_path)


def test_mounted_config_maps_are_read_through_their_links(specs, tmp_path):
    mount = tmp_path / "mount"
    for product in ("churn",):
        hidden = mount / product / "..2026_11_26"
        shutil.copytree(specs.folder / product, hidden)
        os.symlink("..2026_11_26", mount / product / "..data")
        for path in hidden.iterdir():
            os.symlink(f"..data/{path.name}", mount / product / path.name)
    shutil.copy(specs.folder / "connections.yaml", mount)
    assert read_folder(mount) == read_folder(specs.folder)


def test_a_folder_that_declares_products_comes_first(specs, store):
    with declared_specs(specs.folder, store) as folder:
        assert folder == specs.folder


def test_regions_of_the_folder_hold_over_published_ones(specs, store, tmp_path):
    publish(store, read_folder(specs.folder))
    (tmp_path / "own").mkdir()
    (tmp_path / "own/regions.yaml").write_text("regions: {default: {store: ../store}}\n")
    with declared_specs(tmp_path / "own", store) as folder:
        assert "../store" in (folder / "regions.yaml").read_text()


def test_without_specs_anywhere_both_places_are_named(store, tmp_path):
    with (
        pytest.raises(SpecError, match=r"nor published in memory://; let TENANTRY_SPECS"),
        declared_specs(tmp_path, store),
    ):
        pass


@pytest.mark.parametrize(
    "content", [b'{"files":{}}', b'{"files":{"../x.yaml":""}}', b'{"files":{"/etc/x.yaml":""}}']
)
def test_a_bundle_that_is_not_what_was_published_is_refused(specs, store, content):
    publish(store, read_folder(specs.folder))
    store.put(layout.specs_bundle(find_published(store)), content)
    with pytest.raises(SpecError, match="is not what was published"):
        read_published(store)
