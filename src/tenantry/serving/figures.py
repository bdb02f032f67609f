"""What a server counts, and how Prometheus is told: as many series for ten tenants as for 10,000.

Counting happens on the event loop's thread, in plain numbers; series are made when they are asked
for. Tenants have series of their own only where they are among the `TOP` that ask most.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from heapq import nlargest

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

TOP = 10
"""Tenants with a series of their own."""

_ANSWER_BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)
_LOAD_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0)
_LAG_BOUNDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0)


class Histogram:
    """Counts by upper bound, and a sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """Return the counts as Prometheus has them: up to each bound, and in all."""
        listed, so_far = [], 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            so_far += count
            listed.append((bound, float(so_far)))
        return listed


class Figures:
    """Everything that is counted.

    Attributes:
        answers: Protocol and call (``v2 infer``) → seconds until the answer.
        statuses: Protocol and call, and status → requests.
        refusals: Reason → requests.
        rows: Rows predicted.
        active: Requests being answered.
        cold: Requests that had to wait for a load.
        loads: Seconds a load took.
        loaded: Tenants in memory.
        loaded_bytes: Their bytes, about.
        swaps: Loaded tenants that went to another version.
        refreshes: Loaded tenants that got newer online features.
        polls: Readings of the change index.
        poll_failures: Of them, those that failed.
        fresh: When the index was last read, seconds since 1970.
        newest: `as_of` of the newest online features, seconds since 1970; 0 before any.
        oldest: Of the oldest.
        logged: Rows for the prediction log, by what became of them.
        log_waiting: Rows that wait to be written to it.
        tried: Rows for challengers, by what became of them.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Histogram] = {}
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.refusals: Counter[str] = Counter()
        self.load_seconds = Histogram(_LOAD_BOUNDS)
        self.logged: Counter[str] = Counter()
        self.log_waiting = 0
        self.tried: Counter[str] = Counter()
        self.rows = self.cold = self.load_failures = self.evictions = 0
        self.loaded = self.loaded_bytes = self.swaps = self.refreshes = 0
        self.polls = self.poll_failures = self.token_faults = 0
        self.fresh = self.newest = self.oldest = 0.0
        self.active = self.tenants = 0

    def answered(self, call: str, status: int, seconds: float) -> None:
        """Count an answer of a call, one of a fixed set."""
        if (histogram := self.answers.get(call)) is None:
            histogram = self.answers[call] = Histogram(_ANSWER_BOUNDS)
        histogram.observe(seconds)
        self.statuses[call, status] += 1


class _Collected(Collector):
    """Makes series of figures."""

    def __init__(self, figures: Figures, asked: Iterable[tuple[str, int]]) -> None:
        self._figures = figures
        self._asked = asked

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        yield from self._of_requests()
        yield from self._of_models()
        yield from self._of_index()
        yield from self._of_log()

    def _of_requests(self) -> Iterator[Metric]:
        figures = self._figures
        seconds = HistogramMetricFamily(
            "tenantry_serving_request_seconds", NAMES["request_seconds"], labels=["call"]
        )
        for call, one in figures.answers.items():
            seconds.add_metric([call], one.buckets(), one.total)
        yield seconds
        requests = CounterMetricFamily(
            "tenantry_serving_requests", NAMES["requests"], labels=["call", "status"]
        )
        for (call, status), count in figures.statuses.items():
            requests.add_metric([call, str(status)], count)
        yield requests
        refusals = CounterMetricFamily(
            "tenantry_serving_refusals", NAMES["refusals"], labels=["reason"]
        )
        for reason, count in figures.refusals.items():
            refusals.add_metric([reason], count)
        yield refusals
        yield _counter("rows", figures.rows)
        yield _gauge("active", figures.active)
        top = GaugeMetricFamily(
            "tenantry_serving_top_requests", NAMES["top_requests"], labels=["model"]
        )
        for name, count in nlargest(TOP, self._asked, key=lambda one: one[1]):
            if count:
                top.add_metric([name], count)
        yield top

    def _of_models(self) -> Iterator[Metric]:
        figures = self._figures
        loads = HistogramMetricFamily("tenantry_serving_load_seconds", NAMES["load_seconds"])
        loads.add_metric([], figures.load_seconds.buckets(), figures.load_seconds.total)
        yield loads
        yield _counter("cold_requests", figures.cold)
        yield _counter("load_failures", figures.load_failures)
        yield _counter("evictions", figures.evictions)
        yield _counter("swaps", figures.swaps)
        yield _counter("refreshes", figures.refreshes)
        yield _gauge("loaded", figures.loaded)
        yield _gauge("loaded_bytes", figures.loaded_bytes)

    def _of_index(self) -> Iterator[Metric]:
        figures = self._figures
        yield _gauge("tenants", figures.tenants)
        yield _counter("polls", figures.polls)
        yield _counter("poll_failures", figures.poll_failures)
        yield _counter("token_faults", figures.token_faults)
        yield _gauge("index_read_seconds", figures.fresh)
        yield _gauge("as_of_newest_seconds", figures.newest)
        yield _gauge("as_of_oldest_seconds", figures.oldest)

    def _of_log(self) -> Iterator[Metric]:
        logged = CounterMetricFamily(
            "tenantry_serving_logged_rows", NAMES["logged_rows"], labels=["outcome"]
        )
        for outcome, count in self._figures.logged.items():
            logged.add_metric([outcome], count)
        yield logged
        yield _gauge("log_waiting", self._figures.log_waiting)
        tried = CounterMetricFamily(
            "tenantry_serving_challenger_rows", NAMES["challenger_rows"], labels=["outcome"]
        )
        for outcome, count in self._figures.tried.items():
            tried.add_metric([outcome], count)
        yield tried


NAMES = {
    "request_seconds": "Seconds from a request's first byte here to its answer.",
    "requests": "Requests by what was called and how it ended.",
    "refusals": "Requests that were refused, by reason.",
    "rows": "Rows predicted.",
    "active": "Requests being answered.",
    "top_requests": "Requests of the ten tenants that asked most since the start.",
    "load_seconds": "Seconds that loading a tenant took.",
    "cold_requests": "Requests that waited for a load.",
    "load_failures": "Loads that failed.",
    "evictions": "Tenants put away to make room.",
    "swaps": "Loaded tenants that went to another version.",
    "refreshes": "Loaded tenants that got newer online features.",
    "loaded": "Tenants in memory.",
    "loaded_bytes": "Bytes of them, about; pooled models are not counted.",
    "tenants": "Tenants that are answered for.",
    "polls": "Readings of the change index.",
    "poll_failures": "Readings of the change index that failed.",
    "logged_rows": "Rows drawn for the prediction log, by what became of them.",
    "log_waiting": "Rows that wait to be written to the prediction log.",
    "challenger_rows": "Rows for challengers, by what became of them.",
    "token_faults": "Files of tokens that could not be used.",
    "index_read_seconds": "When the change index was last read, seconds since 1970.",
    "as_of_newest_seconds": "As of when the newest online features are, seconds since 1970.",
    "as_of_oldest_seconds": "As of when the oldest online features are, seconds since 1970.",
}
"""Every metric without ``tenantry_serving_``, and what it means."""


def to_text(figures: Figures, asked: Iterable[tuple[str, int]]) -> bytes:
    """Write figures as Prometheus text.

    Args:
        figures: What was counted.
        asked: Each tenant's name and its requests.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(figures, asked))
    return bytes(generate_latest(registry))


def _counter(name: str, value: float) -> Metric:
    return CounterMetricFamily(f"tenantry_serving_{name}", NAMES[name], value=value)


def _gauge(name: str, value: float) -> Metric:
    return GaugeMetricFamily(f"tenantry_serving_{name}", NAMES[name], value=value)
