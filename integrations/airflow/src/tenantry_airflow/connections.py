"""The API server that an Airflow connection names."""

from typing import Any

from airflow.sdk import Connection

from tenantry_airflow.kubeflow import Server, join_address


def read_server(conn_id: str) -> Server:
    """Return the server of a connection, in a task."""
    return to_server(Connection.get(conn_id))


async def read_server_async(conn_id: str) -> Server:
    """Return the server of a connection, in the triggerer."""
    return to_server(await Connection.async_get(conn_id))


def to_server(connection: Any) -> Server:  # noqa: ANN401 - Airflow's, which has no types here
    """Return the server that a connection describes; docs/airflow.md lists its fields.

    Raises:
        ValueError: It has no host.
    """
    host = connection.host or ""
    if not host.strip("/"):
        msg = f"connection {connection.conn_id}: host: is missing; the API's address, https://…"
        raise ValueError(msg)
    kind = connection.conn_type if connection.conn_type in {"http", "https"} else "https"
    extra = connection.extra_dejson
    path = str(extra.get("path", ""))
    return Server(
        join_address(host, connection.port, scheme=connection.schema or kind, path=path),
        str(extra.get("namespace", "")),
        connection.password or "",
        str(extra.get("token_file", "")),
        str(extra.get("ca_file", "")),
    )
