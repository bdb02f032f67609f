"""A tenant with a long past, of which much is old."""

import pytest

from tests.unit.small_store import SmallStore, week


@pytest.fixture
def made():
    """`ua`: champions of the days 10, 20, 30 and 40, a challenger of day 25; weeks 0 to 5."""
    small = SmallStore()
    small.shas = {
        n: small.snapshot("ua", n, months=(f"m{n}", "shared")) for n in (10, 20, 25, 30, 40)
    }
    small.cards = {
        n: small.model("ua", n, small.shas[n], features=small.features("ua", n)) for n in small.shas
    }
    for number, card in small.cards.items():
        if number == 25:
            small.decide(card)
        else:
            small.crown(card)
    of = {0: 10, 1: 10, 2: 10, 3: 20, 4: 20, 5: 30}
    small.receipts = [
        small.predict(
            small.cards[by], week(n), small.shas[by], number=7 * n + 7, in_sample=7 * n < by
        )
        for n, by in of.items()
    ]
    for receipt in small.receipts:
        small.judge(receipt, small.shas[40], number=40)
    return small
