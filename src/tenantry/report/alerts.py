"""What a run has to alert people of, as a message to a webhook, and how sending it went."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from tenantry import layout
from tenantry.digests import canonical_json
from tenantry.errors import TenantryError
from tenantry.fleet import FleetState
from tenantry.report.alarms import AlarmLine, list_alarms
from tenantry.report.summary import judge_run
from tenantry.settings import Settings
from tenantry.store.adding import put_new
from tenantry.store.contract import ObjectStore
from tenantry.text import plain
from tenantry.times import format_moment
from tenantry.webhooks import find_address, post

_TOP = 10
"""Alarms that a message tells; the rest is counted."""

_LONG = 600
"""Characters of an alarm at most; Slack takes 3,000 a block."""

_MARKS = re.compile(r"[*_~`]")
_ICONS = {"decay": "🔴", "event": "🟣", "drift": "🟡"}


def make_alert(state: FleetState, status: str, settings: Settings) -> dict[str, Any] | None:
    """Make the message about a run; None when there is nothing to alert of.

    Args:
        state: The fleet as the run left it.
        status: What Kubeflow says of the run.
        settings: Where pages can be seen.

    Returns:
        JSON as Slack's incoming webhooks read it: `text` says all, `blocks` the same laid out.
    """
    verdict = judge_run(state, status)
    alarms = [one for one in list_alarms(state) if one.kind != "doubtful"]
    if not alarms and verdict.tone != "bad":
        return None
    title = _title(state)
    body = [_escape(verdict.sentence), *_tell(alarms), _place(state, settings)]
    return {
        "text": "\n".join([f"*{_escape(title)}*", *body]),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": title[:150]}},
            *({"type": "section", "text": {"type": "mrkdwn", "text": line}} for line in body[:-1]),
            {"type": "context", "elements": [{"type": "mrkdwn", "text": body[-1]}]},
        ],
    }


def send_alert(store: ObjectStore, state: FleetState, status: str, settings: Settings) -> str:
    """Send what a run has to alert of, once; whatever happens, the run goes on.

    Returns:
        How it went in a sentence for the report; empty where no webhook is set or nothing is to be
        said.
    """
    if not settings.webhook:
        return ""
    message = make_alert(state, status, settings)
    marker = layout.alerted(state.run)
    if message is None:
        return ""
    if store.find(marker):
        return _sent_before(settings.webhook)
    try:
        post(find_address(settings), message)
    except TenantryError as error:
        return f"Alerts were not sent to {settings.webhook}: {error}."
    return _mark(store, marker, settings.webhook)


def _mark(store: ObjectStore, marker: str, webhook: str) -> str:
    """Leave the mark that alerts were sent; without it a second report would send them again."""
    try:
        is_first = put_new(store, marker, canonical_json({"webhook": webhook}))
    except TenantryError as error:
        return f"Alerts were sent to {webhook}, but the store could not note it: {error}."
    return f"Alerts were sent to {webhook}." if is_first else _sent_before(webhook)


def _sent_before(webhook: str) -> str:
    return f"Alerts were sent to {webhook} before."


def _title(state: FleetState) -> str:
    plan = state.plan
    if plan is None:
        return plain(f"{state.product or 'The fleet'}: run {state.run}")
    return plain(f"{plan.title or plan.product}{plan.where} as of {format_moment(plan.as_of)}")


def _tell(alarms: list[AlarmLine]) -> Iterator[str]:
    for one in alarms[:_TOP]:
        where = f"*{_escape(one.who)}*" + (f" ({_escape(one.window)})" if one.window else "")
        words = one.what if len(one.what) <= _LONG else f"{one.what[:_LONG]}…"
        yield f"{_ICONS.get(one.kind, '')} {where}: {_escape(words)}"
    if len(alarms) > _TOP:
        yield f"… and {len(alarms) - _TOP:,} more."


def _place(state: FleetState, settings: Settings) -> str:
    """Say where the page is: as a link where the platform says under which address pages are."""
    key = layout.fleet_report(state.run)
    if not settings.pages:
        return f"The fleet's page: `{_escape(key)}`"
    return f"<{settings.pages.rstrip('/')}/{quote(key)}|The fleet's page>"


def _escape(text: str) -> str:
    """Write text so that it is neither a link, nor a mention, nor markup in a message."""
    text = " ".join(plain(text).split())
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKS.sub("\\g<0>\u200b", text)  # after it, a mark is none any more
