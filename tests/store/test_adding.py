from tenantry.store.adding import put_new
from tests.unit.memory_store import MemoryStore


def test_the_first_who_writes_a_key_is_told_so_and_stays():
    store = MemoryStore()
    assert put_new(store, "a/b", b"1")
    assert not put_new(store, "a/b", b"2")
    assert store.get("a/b").content == b"1"
