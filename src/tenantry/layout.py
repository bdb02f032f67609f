"""Every key in the store, in one place; the picture is in `docs/architecture.md`."""

from datetime import datetime

from tenantry.times import Window, compact

SPECS_POINTER = "specs.json"
SPECS_FOLDER = "specs/"
PRODUCTS_FOLDER = "products/"
PROBING_FOLDER = "store/probing/"
"""Where a store is probed; empty when no probe is under way."""


def specs_bundle(digest: str) -> str:
    """Return the key of what Git declared, as published; `SPECS_POINTER` says which holds."""
    return f"{SPECS_FOLDER}{digest}/bundle.json"


def store_proof(identity_sha256: str) -> str:
    """Return the key of the proof that a server keeps the store's contract."""
    return f"store/proofs/{identity_sha256[:32]}.json"


def product_folder(product: str) -> str:
    """Return the folder of a product's tenants."""
    return f"tenants/{product}/"


def is_immutable(key: str) -> bool:
    """Say whether an object is only ever written again as it was: what a digest or version names.

    Others may be, too: those are that are read several times.
    """
    match key.split("/"):
        case ["tenants", _, _, "snapshots" | "features" | "models", _, *_]:
            return True
        case ["products", _, "pooled", _, _, _, *_]:
            return True
    return False


def tenant_folder(product: str, tenant: str) -> str:
    """Return the one prefix under which all of a tenant's data lies."""
    return f"tenants/{product}/{tenant}/"


def chunk(product: str, tenant: str, sha256: str) -> str:
    """Return the key of a chunk of rows, shared by all snapshots that hold the same rows."""
    return f"{tenant_folder(product, tenant)}snapshots/chunks/{sha256}.parquet"


def snapshot(product: str, tenant: str, sha256: str) -> str:
    """Return the key of a snapshot's manifest."""
    return f"{tenant_folder(product, tenant)}snapshots/{sha256}/manifest.json"


def quarantine(product: str, tenant: str, sha256: str) -> str:
    """Return the key of the rows that a snapshot left out, with their reasons."""
    return f"{tenant_folder(product, tenant)}snapshots/{sha256}/quarantine.parquet"


def snapshots_folder(product: str, tenant: str) -> str:
    """Return the folder of a tenant's snapshots."""
    return f"{tenant_folder(product, tenant)}snapshots/"


def origins_folder(product: str, tenant: str, sha256: str) -> str:
    """Return the folder that says where a snapshot's rows came from, one record an ingest."""
    return f"{snapshots_folder(product, tenant)}{sha256}/sources/"


def origin(product: str, tenant: str, sha256: str, name: str) -> str:
    """Return the key of the record of an ingest that gave a snapshot."""
    return f"{origins_folder(product, tenant, sha256)}{name}.json"


def features_folder(product: str, tenant: str) -> str:
    """Return the folder of a tenant's feature tables."""
    return f"{tenant_folder(product, tenant)}features/"


def features(product: str, tenant: str, sha256: str) -> str:
    """Return the key of a feature table; it can always be built again."""
    return f"{features_folder(product, tenant)}{sha256}.parquet"


def models_folder(product: str, tenant: str) -> str:
    """Return the folder of a tenant's models."""
    return f"{tenant_folder(product, tenant)}models/"


def model_folder(product: str, tenant: str, version: str) -> str:
    """Return the folder of one model: ``model.skops``, ``packed.bin``, ``card.json``."""
    return f"{models_folder(product, tenant)}{version}/"


def champion(product: str, tenant: str) -> str:
    """Return the key of a tenant's champion pointer."""
    return f"{tenant_folder(product, tenant)}champion.json"


def attempt(product: str, tenant: str) -> str:
    """Return the key by which earlier versions said that a tenant is being worked on."""
    return f"{tenant_folder(product, tenant)}attempt.json"


def predictions_folder(product: str, tenant: str) -> str:
    """Return the folder of a tenant's predictions."""
    return f"{tenant_folder(product, tenant)}predictions/"


def prediction_folder(product: str, tenant: str, window: Window, source: str) -> str:
    """Return the folder of a window's predictions; `source` is ``<model>-<snapshot>``."""
    return f"{predictions_folder(product, tenant)}{window.id}/{source}/"


def served_folder(product: str, tenant: str) -> str:
    """Return the folder of what servers answered, as far as it is logged."""
    return f"{tenant_folder(product, tenant)}served/"


def served(product: str, tenant: str, window: Window, version: str, sha256: str) -> str:
    """Return the key of a file of logged predictions, by its content; its receipt is beside it."""
    return f"{served_folder(product, tenant)}{window.id}/{version}/{sha256}.parquet"


def looked_folder(product: str, tenant: str) -> str:
    """Return the folder of the moments as of which late rows were looked for."""
    return f"{tenant_folder(product, tenant)}looked/"


def looked(product: str, tenant: str, as_of: datetime) -> str:
    """Return the key of the marker that late rows were looked for as of a moment."""
    return f"{looked_folder(product, tenant)}{compact(as_of)}.json"


def monitoring_folder(product: str, tenant: str) -> str:
    """Return the folder of a tenant's judgements and drift reports, by window."""
    return f"{tenant_folder(product, tenant)}monitoring/"


def judgement(product: str, tenant: str, window: Window) -> str:
    """Return the key of the judgement of a window."""
    return f"{monitoring_folder(product, tenant)}{window.id}/judgement.json"


def drift_report(product: str, tenant: str, window: Window) -> str:
    """Return the key of the Evidently report of a window."""
    return f"{monitoring_folder(product, tenant)}{window.id}/report.html"


def monitoring_page(product: str, tenant: str, window: Window) -> str:
    """Return the key of the tenant's page as the judgement of a window left it."""
    return f"{monitoring_folder(product, tenant)}{window.id}/page.html"


def insights(product: str, tenant: str, window: Window) -> str:
    """Return the key of what could be told of the tenant when a window was judged."""
    return f"{monitoring_folder(product, tenant)}{window.id}/insights.json"


def insights_page(product: str, tenant: str, window: Window) -> str:
    """Return the key of the same as a page."""
    return f"{monitoring_folder(product, tenant)}{window.id}/insights.html"


def events_folder(product: str, tenant: str) -> str:
    """Return the folder of a tenant's audit trail."""
    return f"{tenant_folder(product, tenant)}events/"


def event(product: str, tenant: str, name: str) -> str:
    """Return the key of an entry of a tenant's audit trail."""
    return f"{events_folder(product, tenant)}{name}.json"


def collections_folder(product: str, tenant: str = "") -> str:
    """Return the folder that says what was collected by retention: of a tenant, or of a product."""
    return f"{tenant_folder(product, tenant) if tenant else f'products/{product}/'}collections/"


def collection(product: str, tenant: str, name: str) -> str:
    """Return the key of the record of one collection."""
    return f"{collections_folder(product, tenant)}{name}.json"


def pooled_models_folder(product: str) -> str:
    """Return the folder of all pooled models of a product, by zone."""
    return f"products/{product}/pooled/"


def index(product: str) -> str:
    """Return the key of the marker that the index of a product's tenants is whole."""
    return f"products/{product}/index.json"


def segments_folder(product: str) -> str:
    """Return the folder of the index's segments."""
    return f"products/{product}/index/segments/"


def segment(product: str, sha256: str) -> str:
    """Return the key of a segment of the index, by its content."""
    return f"{segments_folder(product)}{sha256}.jsonl"


def openings_folder(product: str) -> str:
    """Return the folder of what says which tenants are being worked on."""
    return f"products/{product}/open/"


def opening(product: str, run: str, shard: str) -> str:
    """Return the key of what says which tenants a shard of a run is working on."""
    return f"{openings_folder(product)}{run}/{shard}.json"


def at_work_folder(product: str, run: str = "") -> str:
    """Return the folder of what says who is being worked on right now: by all runs, or by one."""
    return f"products/{product}/at-work/" + (f"{run}/" if run else "")


def at_work(product: str, run: str, shard: str) -> str:
    """Return the key of what says whom a shard of a run is working on right now."""
    return f"{at_work_folder(product, run)}{shard}.json"


def serving_records_folder(product: str, tenant: str) -> str:
    """Return the folder of what servers need of a tenant."""
    return f"{tenant_folder(product, tenant)}serving/"


def serving_record(product: str, tenant: str, sha256: str) -> str:
    """Return the key of a serving record, by its content."""
    return f"{serving_records_folder(product, tenant)}{sha256}.json"


def online_features(product: str, tenant: str, sha256: str) -> str:
    """Return the key of a tenant's online features, by their content."""
    return f"{serving_records_folder(product, tenant)}{sha256}.online"


def serving_folder(product: str) -> str:
    """Return the folder of the change index, which servers poll."""
    return f"products/{product}/serving/"


def serving_bucket(product: str, bucket: str) -> str:
    """Return the key of a part of the change index."""
    return f"{serving_folder(product)}{bucket}.json"


def pooled_folder(product: str, zone: str, version: str) -> str:
    """Return the folder of a pooled model: its files, its folds' and ``card.json``."""
    return f"{pooled_models_folder(product)}{zone}/{version}/"


def pooled(product: str, zone: str) -> str:
    """Return the key of the pointer to the pooled model of a residency zone."""
    return f"{pooled_models_folder(product)}{zone}/pooled.json"


def tombstones_folder(product: str) -> str:
    """Return the folder of the tombstones of a product's erased tenants."""
    return f"products/{product}/erased/"


def tombstone(product: str, tenant: str) -> str:
    """Return the key of what says that a tenant was erased."""
    return f"{tombstones_folder(product)}{tenant}.json"


def row_orders_folder(product: str, tenant: str) -> str:
    """Return the folder of the orders to erase rows of a tenant; they hold no data either."""
    return f"{tombstones_folder(product)}rows/{tenant}/"


def row_order(product: str, tenant: str, name: str) -> str:
    """Return the key of an order to erase rows."""
    return f"{row_orders_folder(product, tenant)}{name}.json"


def waiting(product: str, tenant: str, order: str = "") -> str:
    """Return the key of the mark that an erasure is not done yet: of rows by `order`, or of all."""
    return f"{tombstones_folder(product)}waiting/{tenant}{f'.{order}' if order else ''}.json"


def suppressed(product: str, tenant: str) -> str:
    """Return the key of the keyed hashes of rows that a tenant must never have again."""
    return f"{tenant_folder(product, tenant)}suppressed.json"


def erasures_folder(product: str, tenant: str) -> str:
    """Return the folder of a tenant's certificates of erasure; they hold none of its data."""
    return f"products/{product}/erasures/{tenant}/"


def runs_folder() -> str:
    """Return the folder of all runs."""
    return "runs/"


def run_folder(run: str) -> str:
    """Return the folder of a run's plan, ledgers and report."""
    return f"{runs_folder()}{run}/"


def plan(run: str) -> str:
    """Return the key of a run's plan: every tenant of the run, its shard and what is due."""
    return f"{run_folder(run)}plan.json"


def frozen_specs(run: str, shard: str) -> str:
    """Return the key of the merged specs of a shard, as they were when the run was planned."""
    return f"{run_folder(run)}specs/{shard}.json"


def pooled_outcome(run: str) -> str:
    """Return the key of what became of the pooled models in a run."""
    return f"{run_folder(run)}pooled.json"


def checked(run: str) -> str:
    """Return the key of what it took to check how a run went."""
    return f"{run_folder(run)}checked.json"


def ledger(run: str, shard: str, stage: str) -> str:
    """Return the key of a shard's ledger as `stage` left it."""
    return f"{run_folder(run)}ledgers/{shard}/{stage}.jsonl"


def fleet_report(run: str) -> str:
    """Return the key of a run's fleet report."""
    return f"{run_folder(run)}report.html"


def fleet_summary(run: str) -> str:
    """Return the key of a run's fleet report in short, Markdown."""
    return f"{run_folder(run)}report.md"


def bill(run: str) -> str:
    """Return the key of what a run cost each tenant, as CSV."""
    return f"{run_folder(run)}bill.csv"


def fleet_metrics(run: str) -> str:
    """Return the key of a run's figures, OpenMetrics text."""
    return f"{run_folder(run)}metrics.txt"


def pushed(run: str) -> str:
    """Return the key of the mark that a run's figures were pushed."""
    return f"{run_folder(run)}pushed.json"


def alerted(run: str) -> str:
    """Return the key of the mark that a run's alerts were sent."""
    return f"{run_folder(run)}alerted.json"
