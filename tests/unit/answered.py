"""Logged answers of servers in a store, for tests of what else touches them."""

from datetime import UTC, datetime

from tenantry import layout
from tenantry.digests import sha256
from tenantry.predictions import PredictionFile
from tenantry.served import ServedReceipt, write_served

START = datetime(2013, 1, 1, tzinfo=UTC)


def answer(store, product, tenant, window, *, model="v", content=b"rows", rows=5, **fields):
    """Leave a file of logged answers and its receipt; return the receipt."""
    sha = sha256(content)
    key = layout.served(product, tenant, window, model, sha)
    told = {
        "product": product,
        "tenant": tenant,
        "window": window.id,
        "model": model,
        "model_digest": "m",
        "role": "champion",
        "trained_until": START,
        "record": "r",
        "as_of": START,
        "threshold": 0.5,
        "rows": rows,
        "first": START,
        "last": START,
        "file": PredictionFile(key=key, sha256=sha, rows=rows),
    }
    receipt = ServedReceipt(**(told | fields))
    write_served(store, receipt, content)
    return receipt
