"""A tiny fleet on real flights: three airlines, every stage, a whole run in about a second."""

from pathlib import Path

from tools.make_demo_data import package_folder, parquet, read_flights

PRODUCT = "arrival-delay"
TENANTS = ("as", "ha", "oo")
"""714, 342 and 32 flights: models of their own, and a fallback."""

FIRST, SECOND = "2013-10-01", "2013-11-01"
"""All stages but the monitor have work at the first date, and all at the second."""

_PRODUCT = """\
apiVersion: tenantry/v2
product: arrival-delay
title: Late arrivals
tenants_may_set: [monitor.report]
timezone: America/New_York
sources:
  rows: [{name: flights, connection: landing, kind: parquet, path: flights.parquet}]
row_filter: {pattern: "(?P<carrier>[a-z0-9]{2})", case: upper}
key: [carrier, flight, sched_dep_at]
times:
  event_time: sched_dep_at
  known_at: {lead: 0m}
  label_known_at: {column: arrived_at}
label: {column: arr_delay, above: 15}
contract:
  columns:
    carrier: {type: category, required: true}
    flight: {type: integer, required: true}
    sched_dep_at: {type: time, required: true}
    origin: {type: category, required: true}
    distance: {type: number}
    arrived_at: {type: time}
    arr_delay: {type: number}
features:
  origin: {kind: categorical}
  distance: {kind: numeric}
  hour: {kind: calendar, part: hour}
  late_1d: {kind: history, of: label, over: 1d}
model:
  candidates: {blended: {}, pooled: {}, prior: {}}
  min_rows: 200
  validation: 28d
train: {every: 28d, history: 365d}
gate: {holdout: 28d, min_rows: 20, resamples: 100}
monitor: {wait: 36h, min_rows: 10, report: false}
predict: {window: 7d, start: 2013-09-03, threshold: 0.4, explain: {top: 1, rows: decided}}
pooled: {every: 28d, folds: 2, parameters: {max_iter: 8}}
"""


def make_tiny_fleet(home: Path) -> dict[str, str]:
    """Write specs and sources below `home`; return what a run's environment must hold."""
    specs = home / "specs"
    (specs / PRODUCT).mkdir(parents=True)
    (specs / PRODUCT / "product.yaml").write_text(_PRODUCT)
    for tenant in TENANTS:
        report = "monitor: {report: true}\n" if tenant == "as" else ""
        text = f"apiVersion: tenantry/v2\ntenant: {tenant}\n{report}"
        (specs / PRODUCT / f"{tenant}.yaml").write_text(text)
    (specs / "connections.yaml").write_text("connections:\n  landing: {url: ../landing}\n")
    flights = read_flights(package_folder())
    flights = flights[flights["carrier"].str.lower().isin(TENANTS)].reset_index(drop=True)
    (home / "landing").mkdir()
    (home / "landing/flights.parquet").write_bytes(parquet(flights))
    return {
        "TENANTRY_SPECS": str(specs),
        "TENANTRY_CONNECTIONS": str(specs / "connections.yaml"),
        "TENANTRY_WORKERS": "2",
        "TENANTRY_CODE_VERSION": "test",
    }
