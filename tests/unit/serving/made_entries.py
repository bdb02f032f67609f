"""Entries of the change index, as runs of some days would make them."""

from datetime import UTC, datetime, timedelta

from tenantry.serving.entries import Entry

START = datetime(2013, 10, 1, tzinfo=UTC)


def entry(counter=1, day=0, *, version=None, **fields):
    """The entry made of a pointer's n-th state by the run of a day."""
    return Entry(
        version=version or f"v{counter}",
        record=f"record-{counter}-{day}",
        online=f"online-{day}",
        spec="s",
        published=START + timedelta(days=day),
        as_of=START + timedelta(days=day),
        counter=counter,
        **fields,
    )
