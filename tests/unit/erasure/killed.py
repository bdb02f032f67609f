"""A store whose user is killed at its n-th write, before it or right after."""

from tenantry.store.contract import ObjectStore


class Killed(BaseException):
    """What ends the process; nothing catches it."""


class KillingStore:
    """Passes everything on until the `at`-th write or removal."""

    def __init__(self, inner: ObjectStore, at: int, *, after: bool = False) -> None:
        self._inner, self._at, self._after = inner, at, after
        self.writes = 0

    def __getattr__(self, name):
        method = getattr(self._inner, name)
        if name not in {"put", "put_if_absent", "put_if_match", "delete", "purge"}:
            return method

        def call(*arguments, **named):
            self.writes += 1
            if self.writes == self._at and not self._after:
                raise Killed
            answer = method(*arguments, **named)
            if self.writes == self._at:
                raise Killed
            return answer

        return call
