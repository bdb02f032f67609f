"""What somebody may do in a store, as places; guards and policies are made of it."""

from dataclasses import dataclass

from tenantry import layout


@dataclass(frozen=True)
class Grant:
    """What may be done, and where; a place is a key, or a folder, which ends in ``/``.

    Attributes:
        reads: Where objects are read and listed.
        writes: Where they are also written and removed.
        kept: Of the places written: where nothing is replaced or removed, only added.
        lists: Whether credentials made of it list by themselves: the whole bucket, see
            `tenantry.isolation.errands`.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    lists: bool = False

    def allows_read(self, place: str) -> bool:
        """Say whether an object may be read, or a listing begin so."""
        return _is_within(place, (*self.reads, *self.writes))

    def allows_add(self, key: str) -> bool:
        """Say whether an object may be written where there is none."""
        return _is_within(key, self.writes)

    def allows_change(self, place: str) -> bool:
        """Say whether an object, or all of a folder, may be replaced and removed."""
        holds_kept = any(one.startswith(place) for one in self.kept)
        return self.allows_add(place) and not _is_within(place, self.kept) and not holds_kept


def tenant_grant(product: str, tenant: str) -> Grant:
    """Return what a tenant's worker may do: all in its folder; and read its product's pools.

    A store holds the pooled models of one residency zone where each region has its own; where one
    store holds several, a tenant that moved between them needs both.

    The audit trail, what retention removed, which rows must never come back and the marker of the
    attempt under way are not its own to change.
    """
    return Grant(
        reads=(layout.pooled_models_folder(product),),
        writes=(layout.tenant_folder(product, tenant),),
        kept=(
            layout.events_folder(product, tenant),
            layout.collections_folder(product, tenant),
            layout.suppressed(product, tenant),
            layout.attempt(product, tenant),
        ),
    )


def erasing_grant(product: str) -> Grant:
    """Return what completing erasures takes: all of a product, and what its runs left."""
    return Grant(
        writes=(layout.product_folder(product), f"products/{product}/", layout.runs_folder()),
        lists=True,
    )


def _is_within(place: str, places: tuple[str, ...]) -> bool:
    return any(place == one or (one.endswith("/") and place.startswith(one)) for one in places)
