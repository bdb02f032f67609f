"""What a lineage is made of: things, each with its state, and how they hang together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tenantry.ledger import Scalar

State = Literal["there", "collected", "erased", "missing", "unreadable", "outside"]
"""Of a thing: in the store; removed by retention; removed by an erasure; gone, and nothing says
why; there but no such record; outside the store, named by a record only."""

Facts = Mapping[str, Scalar | Sequence[str]]


@dataclass(frozen=True)
class Node:
    """A thing in a lineage.

    Attributes:
        kind: What it is: `prediction`, `model`, `snapshot`, …
        name: What tells it from others of its kind.
        relation: How it hangs on the one above, e.g. `predicted by`; empty at the top.
        key: Its key in the store; empty for things outside.
        state: Whether it is still there.
        facts: What is known of it.
        below: What it was made from, or what it influenced.
    """

    kind: str
    name: str
    relation: str = ""
    key: str = ""
    state: State = "there"
    facts: Facts = field(default_factory=dict)
    below: tuple["Node", ...] = ()

    def walk(self) -> Iterator["Node"]:
        """Yield the node and all below it, in the order of a reader."""
        yield self
        for node in self.below:
            yield from node.walk()

    def to_facts(self) -> dict[str, Any]:
        """Return what JSON says of the node; what is empty is left out."""
        plain = {
            "kind": self.kind,
            "name": self.name,
            "relation": self.relation,
            "key": self.key,
            "state": self.state,
            "facts": dict(self.facts),
            "below": [node.to_facts() for node in self.below],
        }
        return {name: value for name, value in plain.items() if value}
