"""A store that does not honour conditions is found out, and nothing is left in it."""

import pytest

from tenantry.errors import PreconditionError, StoreError
from tenantry.store.folder import FolderStore
from tenantry.store.probe import check_conditional_writes


class DeafStore(FolderStore):
    """Takes every conditional write for a plain one, as some S3 stores do."""

    def put_if_absent(self, key: str, content: bytes) -> str:
        return self.put(key, content)


class HalfDeafStore(FolderStore):
    """Honours `If-None-Match`, but not `If-Match`."""

    def put_if_match(self, key: str, content: bytes, tag: str) -> str:
        return self.put(key, content)


class MuleStore(FolderStore):
    """Refuses every conditional write."""

    def put_if_absent(self, key: str, content: bytes) -> str:
        raise PreconditionError(key)


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (DeafStore, r"8 of 8 writers won a race under If-None-Match, not 1; use MinIO"),
        (HalfDeafStore, r"8 of 8 writers won a race under If-Match, not 1; use MinIO"),
        (MuleStore, r"0 of 8 writers won a race under If-None-Match, not 1; use MinIO"),
    ],
)
def test_a_store_that_ignores_conditions_is_refused(tmp_path, kind, fault):
    store = kind(tmp_path)
    with pytest.raises(StoreError, match=fault):
        check_conditional_writes(store)
    assert list(store.list("")) == []
