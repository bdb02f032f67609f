"""Taking erased rows out of logged answers, whose files others replace: a name is a content."""

from tenantry import layout
from tenantry.erasure.removal import Removal
from tenantry.erasure.suppression import Suppressed, find_suppressed
from tenantry.parquet import keep_rows, read_columns
from tenantry.served import read_served_receipt, write_served
from tenantry.specs.model import Spec


def rewrite_served(removal: Removal, spec: Spec, suppressed: Suppressed) -> None:
    """Replace every file of logged answers that holds suppressed rows, and its receipt.

    A file without a receipt goes: a server died before it committed it, or an erasure was killed.

    Args:
        removal: What is counted.
        spec: The tenant's spec.
        suppressed: Which rows must not be.
    """
    columns = sorted({name for entry in suppressed.entries for name in entry.columns})
    for info in [*removal.store.list(layout.served_folder(spec.product, spec.tenant))]:
        if not info.key.endswith(".parquet"):
            continue
        record = f"{info.key.removesuffix('.parquet')}.json"
        receipt = read_served_receipt(removal.store, record)
        content = removal.store.get(info.key).content
        rows = read_columns(content, columns)
        mask = find_suppressed(suppressed, rows, spec.contract.columns)
        if receipt is not None and not mask.any():
            continue
        if receipt is not None and not mask.all():
            kept = keep_rows(content, ~mask)
            write_served(removal.store, receipt.of_file(kept, int((~mask).sum())), kept)
        removal.remove("answers", record)
        removal.remove("answers", info.key)
