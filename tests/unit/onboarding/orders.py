"""Raw files of a small shop platform, as a customer would send them."""

import numpy as np
import pandas as pd

CUSTOMERS = ("acme", "globex", "hooli", "initech", "umbrella")
AS_OF = "2024-07-01"
ASKED = ("--label", "late", "--label-delay", "2d", "--as-of", AS_OF)


def make_orders(rows=300, customers=CUSTOMERS, seed=0):
    """Orders of some customers; the heavy ones, and those of one depot, come late."""
    random = np.random.default_rng(seed)
    frames = []
    for customer in customers:
        minutes = np.sort(random.choice(180 * 24 * 60, rows, replace=False))
        weight = random.gamma(2, 2, rows).round(2)
        depot = random.choice(["north", "south", "west"], rows)
        chance = 1 / (1 + np.exp(-(weight - 5 + 1.5 * (depot == "west"))))
        frames.append(
            pd.DataFrame(
                {
                    "customer": customer.upper(),
                    "order_id": np.arange(rows),
                    "ordered_at": (
                        pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(minutes, unit="m")
                    ).strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "weight": weight,
                    "depot": depot,
                    "express": random.choice(["yes", "no"], rows),
                    "Unit Price": 1.0,
                    "late": (random.random(rows) < chance).astype(int),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
