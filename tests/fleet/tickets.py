"""A small made-up help desk: tickets of several customers, told by their words."""

import numpy as np
import pandas as pd

from tests.fleet.harness import Harness

CUSTOMERS = ("acme", "globex")
QUEUES = ("access", "billing", "delivery")
AS_OF, LATER = "2024-07-01", "2024-08-01"

_SAID = {
    "access": "password login locked account reset token expired cannot enter",
    "billing": "invoice charged twice refund amount payment card receipt wrong",
    "delivery": "parcel late lost courier address package arrived broken missing",
}
_ANY = "hello please help thanks today since yesterday the my our is was again order number"

PRODUCT = """\
apiVersion: tenantry/v2
product: tickets
title: Urgent tickets
sources:
  rows: [{name: tickets, connection: desk, kind: parquet, path: tickets.parquet}]
row_filter: {pattern: "(?P<customer>.+)"}
key: [customer, ticket]
times: {event_time: opened_at, label_known_at: {delay: 2d}}
label: {column: urgent, title: is urgent}
contract:
  columns:
    customer: {type: category, required: true}
    ticket: {type: integer, required: true}
    opened_at: {type: time, required: true}
    words: {type: text}
    channel: {type: category}
    urgent: {type: boolean}
    queue: {type: category, categories: [access, billing, delivery, other]}
features:
  words: {kind: text, title: what it says, max_words: 60}
  channel: {kind: categorical, title: came by}
  hour: {kind: calendar, part: hour}
model:
  candidates: {blended: {}, pooled: {}, logistic: {}, boosted: {}, prior: {}}
  validation: 28d
train: {every: 28d, history: 365d}
gate: {holdout: 28d}
monitor: {min_rows: 20, report: false}
predict: {window: 7d, start: 2024-07-01, explain: {rows: all}}
pooled: {every: 28d, parameters: {max_iter: 30}}
"""


def make_tickets(rows=900, seed=0):
    """Tickets of all customers from January to July; urgent ones ask for refunds or are locked."""
    random = np.random.default_rng(seed)
    frames = []
    for customer in CUSTOMERS:
        minutes = np.sort(random.choice(200 * 24 * 60, rows, replace=False))
        queue = random.choice(QUEUES, rows, p=[0.5, 0.3, 0.2])
        texts = [_text(random, name) for name in queue]
        urgent = np.array([("refund" in text) or ("locked" in text) for text in texts])
        urgent ^= random.random(rows) < 0.1
        frames.append(
            pd.DataFrame(
                {
                    "customer": customer,
                    "ticket": np.arange(rows),
                    "opened_at": pd.Timestamp("2024-01-10", tz="UTC")
                    + pd.to_timedelta(minutes, unit="m"),
                    "words": texts,
                    "channel": random.choice(["mail", "phone"], rows),
                    "urgent": urgent,
                    "queue": queue,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _text(random, queue):
    words = [*random.choice(_SAID[queue].split(), 4), *random.choice(_ANY.split(), 6)]
    random.shuffle(words)
    return " ".join(words)


def make_desk(home, product=PRODUCT, tickets=None):
    """Return a fleet of the desk's customers with sources and specs of its own."""
    folder = home / "specs" / "tickets"
    folder.mkdir(parents=True)
    (folder / "product.yaml").write_text(product)
    for customer in CUSTOMERS:
        head = f"apiVersion: tenantry/v2\ntenant: {customer}\n"
        (folder / f"{customer}.yaml").write_text(head)
    connections = home / "specs" / "connections.yaml"
    connections.write_text("connections:\n  desk: {url: ../landing}\n")
    (home / "landing").mkdir()
    (make_tickets() if tickets is None else tickets).to_parquet(home / "landing/tickets.parquet")
    return Harness(home, home / "specs", connections, home / "store", product="tickets")
