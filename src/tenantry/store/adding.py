"""Adding to a store what never changes: the first who writes a key is who wrote it."""

from tenantry.errors import PreconditionError
from tenantry.store.contract import ObjectStore


def put_new(store: ObjectStore, key: str, content: bytes) -> bool:
    """Write an object where there is none; one that is there already stays as it is.

    Returns:
        Whether there was none.
    """
    try:
        store.put_if_absent(key, content)
    except PreconditionError:
        return False
    return True
