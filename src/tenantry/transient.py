"""Failures that pass: how a call is tried again."""

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

TRIES = 4


def retry_transient(*, first_wait: float = 0.3, longest_wait: float = 5.0) -> Retrying:
    """Return what calls a function up to `TRIES` times while it fails with a transient error.

    Args:
        first_wait: Before the second try, seconds, or up to twice as long by chance; each further
            one waits longer.
        longest_wait: Never longer than this, seconds.
    """
    return Retrying(
        retry=retry_if_exception(lambda error: bool(getattr(error, "transient", False))),
        stop=stop_after_attempt(TRIES),
        wait=wait_exponential_jitter(multiplier=first_wait, max=longest_wait, jitter=first_wait),
        reraise=True,
    )
