"""Waits for a run in the triggerer, where a thousand cost no more than one."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
from airflow.triggers.base import BaseTrigger, TriggerEvent

from tenantry_airflow.connections import read_server_async
from tenantry_airflow.kubeflow import API, KubeflowError, Run, Server, read_answer, told

_SECONDS = 30.0


class FleetRunTrigger(BaseTrigger):
    """Fires when a run has ended, when its time is up, or when Kubeflow is away for too long.

    The event is a mapping with `outcome`: `ended`, `late` or `away`, and `message`.
    """

    def __init__(
        self, conn_id: str, run_id: str, poll_seconds: float, deadline: float, patience: float
    ) -> None:
        """Wait for a run.

        Args:
            conn_id: The connection to Kubeflow.
            run_id: The run.
            poll_seconds: Between two looks.
            deadline: When its time is up, seconds since 1970; 0 for never.
            patience: Seconds without an answer until it gives up.
        """
        super().__init__()
        self.conn_id, self.run_id = conn_id, run_id
        self.poll_seconds, self.deadline, self.patience = poll_seconds, deadline, patience

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what makes it anew in another process; no secret is among it."""
        names = ("conn_id", "run_id", "poll_seconds", "deadline", "patience")
        kept = {name: getattr(self, name) for name in names}
        return f"{type(self).__module__}.{type(self).__qualname__}", kept

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look at the run until there is something to say."""
        server = await read_server_async(self.conn_id)
        async with _client(server) as client:
            yield TriggerEvent(await self._wait(server, client))

    async def on_kill(self) -> None:
        """Cancel the run: somebody marked or cleared the task."""
        server = await read_server_async(self.conn_id)
        async with _client(server) as client:
            await _call(server, client, "POST", f"/runs/{self.run_id}:terminate")
        self.log.info("Cancelled %s", server.page(self.run_id))

    async def _wait(self, server: Server, client: httpx.AsyncClient) -> dict[str, str]:
        answered = time.monotonic()
        while True:
            try:
                answer = await _call(server, client, "GET", f"/runs/{self.run_id}")
                if Run.from_answer(answer).has_ended:
                    return {"outcome": "ended", "message": ""}
                answered = time.monotonic()
            except KubeflowError as error:
                self.log.warning("%s", error)
                if time.monotonic() - answered > self.patience:
                    return {"outcome": "away", "message": str(error)}
            if self.deadline and time.time() >= self.deadline:
                return {"outcome": "late", "message": ""}
            await asyncio.sleep(self.poll_seconds)


def _client(server: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(verify=server.verification(), timeout=_SECONDS)


async def _call(
    server: Server, client: httpx.AsyncClient, method: str, path: str
) -> dict[str, Any]:
    with told(server):
        response = await client.request(
            method, f"{server.host}{API}{path}", headers=server.headers()
        )
        return read_answer(server, response)
