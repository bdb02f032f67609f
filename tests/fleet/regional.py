"""A fleet at home in four regions of two residency zones, a MinIO server a zone."""

import io
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from minio import Minio

from tenantry.regions import store_of
from tenantry.settings import load_settings
from tenantry.store.contract import ObjectStore
from tenantry.store.open import open_store
from tests.fleet.conftest import write_landing, write_specs
from tests.fleet.harness import PRODUCT, FleetRun, Harness
from tests.servers.minio import MinioServer
from tests.servers.proxy import FaultProxy

ZONES = {"europe": ("eu-1", "eu-2"), "america": ("us-1", "us-2")}
HOMES = {"f9": "eu-1", "ha": "eu-1", "fl": "eu-2", "vx": "us-1", "oo": "us-2"}
STRICT = "ha"
OWN_CREDENTIALS = (("eu-1", 0), ("us-1", 0), ("us-1", 1))
"""Regions and numbers of runs whose workers have credentials of their tenant's, not the run's."""

SOURCES = ("ewr", "jfk", "lga", "weather", "planes")


def zone_of(region: str) -> str:
    return next(zone for zone, regions in ZONES.items() if region in regions)


def canary(tenant: str) -> str:
    """What stands in every row of a tenant: in its destinations, which are a feature."""
    return f"zq{tenant.upper()}qz"


def tenants_of(*regions: str) -> set[str]:
    return {tenant for tenant, region in HOMES.items() if region in regions}


@dataclass
class RegionalFleet:
    """The fleet, its servers, and what was run.

    Attributes:
        harness: Runs it; each run serves one region.
        servers: Zone → its server.
        proxies: Zone → what stands before its server and records all that is sent there.
        runs: Region → its runs, oldest first.
        kept: Region → what its store held when it was first asked for.
        said: Region → the same as text.
    """

    harness: Harness
    servers: dict[str, MinioServer]
    proxies: dict[str, FaultProxy]
    runs: dict[str, list[FleetRun]] = field(default_factory=dict)
    kept: dict[str, dict[str, bytes]] = field(default_factory=dict)
    said: dict[str, dict[str, str]] = field(default_factory=dict)

    def run(self, as_of: str, number: int) -> None:
        """Run every region once."""
        for region in sorted(set(HOMES.values())):
            isolation = "sts" if (region, number) in OWN_CREDENTIALS else "shared"
            self.harness.environment["TENANTRY_ISOLATION"] = isolation
            run = f"{region}-run-{number}"
            done = self.harness.run(as_of, run, region=region, max_shards=1)
            self.runs.setdefault(region, []).append(done)

    def store(self, region: str) -> ObjectStore:
        self.harness.enter()
        return open_store(load_settings(), region)

    def store_of(self, tenant: str) -> ObjectStore:
        self.harness.enter()
        return store_of(load_settings(), PRODUCT, tenant)

    def objects(self, region: str) -> dict[str, bytes]:
        if region not in self.kept:
            store = self.store(region)
            self.kept[region] = {i.key: store.get(i.key).content for i in store.list("")}
        return self.kept[region]

    def texts(self, region: str) -> dict[str, str]:
        if region not in self.said:
            found = self.objects(region).items()
            self.said[region] = {key: decoded(key, content) for key, content in found}
        return self.said[region]


@contextmanager
def regional_fleet(
    home: Path, landing: Path, flights: pd.DataFrame, servers: dict[str, MinioServer]
) -> Iterator[RegionalFleet]:
    """Make the fleet: a lake a region with the rows of its own tenants only, a bucket a region."""
    flights = flights.assign(dest=flights["dest"] + flights["carrier"].map(canary))
    for region in HOMES.values():
        own = flights["carrier"].str.lower().isin(tenants_of(region))
        if not (home / region).exists():
            write_landing(home / region, landing, flights[own].reset_index(drop=True), None)
    write_specs(home / "specs", {}, _product, ())
    specs = home / "specs" / "tenants"
    for tenant, region in HOMES.items():
        strict = "residency: {strict: true}\n" if tenant == STRICT else ""
        text = f"apiVersion: tenantry/v2\ntenant: {tenant}\nregion: {region}\n{strict}"
        (specs / PRODUCT / f"{tenant}.yaml").write_text(text)
    (specs / "connections.yaml").write_text(_connections())
    with ExitStack() as stack:
        proxies = {
            zone: stack.enter_context(FaultProxy.running(server.endpoint))
            for zone, server in servers.items()
        }
        for proxy in proxies.values():
            proxy.is_recording = True
        (specs / "regions.yaml").write_text(_regions(servers, proxies))
        environment = {
            f"{zone.upper()}_{name}": value
            for zone, server in servers.items()
            for name, value in (("KEY", server.access_key), ("SECRET", server.secret_key))
        }
        before = dict(os.environ)
        harness = Harness(home, specs, specs / "connections.yaml", home / "not-used", environment)
        try:
            yield RegionalFleet(harness, servers, proxies)
        finally:
            os.environ.clear()
            os.environ.update(before)


def _product(text: str) -> str:
    for source in SOURCES:
        text = text.replace(f"connection: {source}", f"connection: '{source}-{{region}}'")
    return text


def _connections() -> str:
    lines = ["connections:"]
    for region in sorted(set(HOMES.values())):
        for source in SOURCES:
            url = f"../../{region}/{source}"
            if source == "lga":
                url = f"sqlite:///{url}/flights.sqlite"
            lines.append(f"  {source}-{region}: {{url: '{url}', region: {region}}}")
    return "\n".join(lines) + "\n"


def _regions(servers: dict[str, MinioServer], proxies: dict[str, FaultProxy]) -> str:
    regions = {}
    for zone, names in ZONES.items():
        server = servers[zone]
        client = Minio(server.endpoint, server.access_key, server.secret_key, secure=False)
        for name in names:
            client.make_bucket(f"fleet-{name}")
            regions[name] = {
                "store": f"s3+http://{proxies[zone].endpoint}/fleet-{name}",
                "zone": zone,
                "credentials": {
                    "access_key": f"{zone.upper()}_KEY",
                    "secret_key": f"{zone.upper()}_SECRET",
                },
            }
    return json.dumps({"regions": regions})


def names(key: str, content: bytes) -> set[str]:
    """The strings of an object of JSON, keys and parts of paths included."""
    if not key.endswith((".json", ".jsonl")):
        return set()
    lines = [content] if key.endswith(".json") else content.splitlines()
    return set().union(*(_strings(json.loads(line)) for line in lines))


def _strings(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(_strings(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_strings(item) for item in value))
    return set(value.split("/")) if isinstance(value, str) else set()


def decoded(key: str, content: bytes) -> str:
    """All that an object says, as text: Parquet's values, the members of a model's archive."""
    if key.endswith(".parquet"):
        return pd.read_parquet(io.BytesIO(content)).to_csv()
    if key.endswith(".skops"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [archive.read(name) for name in archive.namelist()]
        return b"".join(members).replace(b"\0", b"").decode("latin-1")
    return content.decode("latin-1")
