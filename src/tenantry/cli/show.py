"""``tenantry show``: all there is to know of one tenant."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tenantry.champions import tell_orders
from tenantry.cli.options import (
    Output,
    OutputFormat,
    ProductName,
    RegionName,
    TenantName,
    print_json,
)
from tenantry.dossier import Dossier, read_dossier
from tenantry.members import Member
from tenantry.monitoring.judgements import IN_WORDS
from tenantry.regions import store_of
from tenantry.report.summary import explain_unknown
from tenantry.report.words import span
from tenantry.settings import load_settings
from tenantry.specs.load import load_product
from tenantry.specs.model import Spec
from tenantry.times import format_duration, format_moment

_WINDOWS = 12
"""Windows shown, the latest."""


def show(
    product: ProductName,
    tenant: TenantName,
    region: RegionName = "",
    output: Output = OutputFormat.table,
) -> None:
    """Show a tenant: spec, champion and its history, card, windows, judgements, last failures.

    Reads specs and store, writes nothing.
    """
    settings = load_settings()
    fleet = load_product(settings.specs, product, connections=settings.connections)
    store = store_of(settings, product, tenant, region)
    dossier = read_dossier(store, fleet, tenant)
    if output is OutputFormat.json:
        print_json(to_facts(dossier))
        return
    console = Console(highlight=False)
    for part in _parts(dossier):
        console.print(part)


def to_facts(dossier: Dossier) -> dict[str, Any]:
    """Return what JSON says of a tenant: the records themselves; None where there is nothing."""
    parts = {"spec": dossier.spec, "champion": dossier.champion, "card": dossier.card}
    return {
        "product": dossier.product,
        "tenant": dossier.tenant,
        **{name: part.model_dump(mode="json") if part else None for name, part in parts.items()},
        "receipts": [receipt.model_dump(mode="json") for receipt in dossier.receipts.values()],
        "judgements": [one.model_dump(mode="json") for one in dossier.judgements],
        "failures": [{"run": run, "what": _what(member)} for run, member in dossier.failures],
    }


def _parts(dossier: Dossier) -> Iterator[Text | Table]:
    yield Text(f"{dossier.tenant} of {dossier.product}", style="bold")
    yield from _spec(dossier)
    yield from _champion(dossier)
    yield from _card(dossier)
    yield from _windows(dossier)
    yield from _failures(dossier)


def _spec(dossier: Dossier) -> Iterator[Text]:
    spec = dossier.spec
    if spec is None:
        yield Text("No spec declares it; the store still holds what it left.", style="yellow")
        return
    if spec.description:
        yield Text(spec.description)
    yield _line("state", f"{spec.state}, region {spec.region}, residency {_residency(spec)}")
    sources = [source.name for source in (*spec.sources.rows, *spec.sources.joins)]
    yield _line("sources", ", ".join(sources))
    above = f" above {spec.label.above:g}" if spec.label.above is not None else ""
    yield _line("predicts", spec.label.title or f"{spec.label.column}{above}")
    yield _line("features", f"{len(spec.features)}: {', '.join(spec.features)}")
    candidates = ", ".join(spec.model.candidates)
    yield _line("candidates", f"{candidates}, by {spec.model.metric}")
    every, history = format_duration(spec.train.every), format_duration(spec.train.history)
    yield _line("trains", f"every {every} on {history} of history")
    window, start = format_duration(spec.predict.window), format_moment(spec.predict.start)
    yield _line("predicts in", f"windows of {window} since {start}")
    shares = "gives to" if spec.pooling.contribute else "gives nothing to"
    takes = "may use" if spec.pooling.receive else "may not use"
    yield _line("pooling", f"{shares} the pooled model, {takes} it")


def _residency(spec: Spec) -> str:
    return spec.residency.zone + (" (strict)" if spec.residency.strict else "")


def _champion(dossier: Dossier) -> Iterator[Text | Table]:
    yield _head("Champion")
    if dossier.champion is None:
        yield Text("None: no model was ever crowned.")
        return
    for words in tell_orders(dossier.champion):
        yield Text(f"It {words}.", style="yellow")
    revoked = dossier.champion.revoked
    table = Table("since", "version", "recipe", "decision")
    for reign in reversed(dossier.champion.reigns):
        judge = revoked.get(reign.place)
        gate = f"(revoked as of {judge.since:%Y-%m-%d}) {reign.gate}" if judge else reign.gate
        cells = (f"{reign.since:%Y-%m-%d}", reign.version, reign.recipe, gate)
        table.add_row(*map(Text, cells), style="dim" if judge else "")
    yield table


def _card(dossier: Dossier) -> Iterator[Text | Table]:
    card = dossier.card
    if card is None:
        return
    yield _head(f"Card of {card.version}")
    share = f", {card.positives / card.rows:.1%} positive" if card.positives is not None else ""
    yield _line(
        "trained on",
        f"{card.rows:,} labelled rows{share}, known by {format_moment(card.trained_until)}",
    )
    yield _line("chosen", card.selection)
    yield _line(
        "made from", f"snapshot {card.snapshot[:12]}, code {card.code_version}, seed {card.seed}"
    )
    if card.pooled:
        yield _line("stands on", f"pooled model {card.pooled.version} of zone {card.pooled.zone}")
    if card.dropped:
        yield _line("left out", f"{', '.join(card.dropped)}: no value ever")
    scores = {**{f"{name} (validation)": s for name, s in card.scores.items()}}
    scores |= {f"{name} (holdout)": s for name, s in card.holdout.items()}
    metrics = sorted({metric for measured in scores.values() for metric in measured})
    if metrics:
        table = Table("model", *metrics)
        for name, measured in scores.items():
            cells = (f"{measured[metric]:.4f}" if metric in measured else "" for metric in metrics)
            table.add_row(Text(name), *cells)
        yield table


def _windows(dossier: Dossier) -> Iterator[Text | Table]:
    yield _head("Windows")
    judged = {one.span: one for one in dossier.judgements}
    windows = sorted({*dossier.receipts, *judged})
    if not windows:
        yield Text("None was predicted.")
        return
    table = Table("window", "model", "rows", "decided", "mean", "judgement")
    for window in windows[-_WINDOWS:]:
        receipt, judgement = dossier.receipts.get(window), judged.get(window)
        mean = receipt.mean_probability if receipt else None
        words = IN_WORDS[judgement.status] if judgement else ""
        sample = "in sample" if receipt and receipt.in_sample and not words else ""
        table.add_row(
            Text(span(window)),
            Text(receipt.model if receipt else ""),
            f"{receipt.rows:,}" if receipt else "",
            f"{receipt.decided:,}" if receipt else "",
            f"{mean:.3f}" if mean is not None else "",
            Text(words or sample),
        )
    yield table
    if dossier.judgements:
        last = dossier.judgements[-1]
        yield _line("last judged", f"{span(last.span)}: {last.sentence}")


def _failures(dossier: Dossier) -> Iterator[Text]:
    if dossier.failures:
        yield _head("Last failures")
    for run, member in dossier.failures:
        for what in _what(member):
            yield Text(f"{run}: {what}", style="red")


def _what(member: Member) -> list[str]:
    failed = [f"{one.stage}: {one.message}" for one in member.failures]
    return failed or [f"unknown: {explain_unknown(member)}"]


def _head(words: str) -> Text:
    return Text(f"\n{words}", style="bold")


def _line(name: str, words: str) -> Text:
    return Text.assemble((f"{name:<12}", "dim"), words)
