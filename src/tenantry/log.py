"""Logging: one line a decision. JSON lines where nobody watches, plain text on a terminal."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

_FIELDS = ("run", "product", "tenant", "shard", "stage", "status", "kind", "seconds")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        line |= {name: getattr(record, name) for name in _FIELDS if hasattr(record, name)}
        line["message"] = record.getMessage()
        return json.dumps(line, ensure_ascii=False)


def log_fault(log: logging.Logger, error: Exception, where: str) -> None:
    """Log an error's kind and the frames that it passed; not its message, which may quote rows."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s in %s\n%s", type(error).__name__, where, frames)


def configure_logging() -> None:
    """Log to standard error: JSON lines, or plain messages when it is a terminal."""
    handler = logging.StreamHandler(sys.stderr)
    if not sys.stderr.isatty():
        handler.setFormatter(_JsonLines())
    root = logging.getLogger("tenantry")
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    root.propagate = False
