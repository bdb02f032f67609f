"""All environment variables, read in one place."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Literal, cast, get_args

from tenantry.errors import Fault, SettingsError

Isolation = Literal["sts", "process", "shared"]
_ENCRYPTION = re.compile(r"|s3|kms:[A-Za-z0-9._:/-]{1,200}")


@dataclass(frozen=True)
class Settings:
    """What the environment says.

    Attributes:
        store: `TENANTRY_STORE`: a folder (`file:///data/store`) or a bucket
            (`s3+http://host:9000/bucket`, `s3+https://…`).
        specs: `TENANTRY_SPECS`: the folder of specs.
        connections: `TENANTRY_CONNECTIONS`: the file of named connections.
        workers: `TENANTRY_WORKERS`: worker processes of a shard; all cores it may use when 0.
        code_version: `TENANTRY_CODE_VERSION`: what model cards record (an image digest, a
            commit); the package's version when unset.
        access_key: `AWS_ACCESS_KEY_ID`.
        secret_key: `AWS_SECRET_ACCESS_KEY`.
        session_token: `AWS_SESSION_TOKEN`: comes with temporary credentials.
        region: `AWS_REGION`.
        isolation: `TENANTRY_ISOLATION`: whose credentials tenants' workers have in a bucket: their
            own (`sts`), their own in a process of its own for each tenant (`process`), or the
            run's (`shared`).
        sts_url: `TENANTRY_STS_URL`: where they are asked for; the store's own when empty.
        sts_role: `TENANTRY_STS_ROLE`: ARN of the role that is assumed; MinIO needs none.
        ca_file: `TENANTRY_CA_FILE`: PEM file of the authorities that sign the store's certificate.
        encryption: `TENANTRY_ENCRYPTION`: `s3`, or `kms:<key>`; the bucket's own when empty.
        environ: The whole environment: `regions.yaml` names variables in it.
        webhook: `TENANTRY_WEBHOOK`: the connection that alerts are sent to; none when empty.
        pushgateway: `TENANTRY_PUSHGATEWAY`: the connection that metrics are pushed to; none when
            empty.
        pages: `TENANTRY_PAGES`: the address under which the store's pages can be seen, for links
            in alerts.
        cache: The folder `tenantry` in `XDG_CACHE_HOME`, else in `~/.cache`: what a server keeps
            for a restart without the store.
        user: `USER`: who orders what `tenantry` does, in the audit trail.
    """

    store: str
    specs: Path
    connections: Path
    workers: int
    code_version: str
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    region: str = "us-east-1"
    isolation: Isolation = "sts"
    sts_url: str = ""
    sts_role: str = ""
    ca_file: str = ""
    encryption: str = ""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    cache: Path = Path(".cache")
    user: str = ""
    webhook: str = ""
    pushgateway: str = ""
    pages: str = ""


def recipes_file(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the file that lists the recipes of others; None when there is none.

    It is read where models are fitted and opened, by whoever runs the process: no spec can name it.
    """
    path = environ.get("TENANTRY_RECIPES", "")
    return Path(path) if path else None


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; relative paths are from the working directory.

    Raises:
        SettingsError: A variable cannot be used.
    """
    specs = Path(environ.get("TENANTRY_SPECS", "tenant_specs"))
    workers = environ.get("TENANTRY_WORKERS", "0")
    if faults := [*_find_faults(environ)]:
        raise SettingsError(faults)
    return Settings(
        store=environ.get("TENANTRY_STORE", Path("demo/store").resolve().as_uri()),
        specs=specs,
        connections=Path(environ.get("TENANTRY_CONNECTIONS", specs / "connections.yaml")),
        workers=int(workers),
        code_version=environ.get("TENANTRY_CODE_VERSION", version("tenantry")),
        access_key=environ.get("AWS_ACCESS_KEY_ID", ""),
        secret_key=environ.get("AWS_SECRET_ACCESS_KEY", ""),
        session_token=environ.get("AWS_SESSION_TOKEN", ""),
        region=environ.get("AWS_REGION", "us-east-1"),
        isolation=cast("Isolation", environ.get("TENANTRY_ISOLATION", "sts")),
        sts_url=environ.get("TENANTRY_STS_URL", ""),
        sts_role=environ.get("TENANTRY_STS_ROLE", ""),
        ca_file=environ.get("TENANTRY_CA_FILE", ""),
        encryption=environ.get("TENANTRY_ENCRYPTION", ""),
        environ=dict(environ),
        cache=_cache_folder(environ),
        user=environ.get("USER", ""),
        webhook=environ.get("TENANTRY_WEBHOOK", ""),
        pushgateway=environ.get("TENANTRY_PUSHGATEWAY", ""),
        pages=environ.get("TENANTRY_PAGES", ""),
    )


def _cache_folder(environ: Mapping[str, str]) -> Path:
    home = environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home else Path.home() / ".cache") / "tenantry"


def _find_faults(environ: Mapping[str, str]) -> Iterator[Fault]:
    workers = environ.get("TENANTRY_WORKERS", "0")
    if not workers.isdigit():
        yield Fault("TENANTRY_WORKERS", f"{workers!r} is not a whole number ≥ 0")
    isolation = environ.get("TENANTRY_ISOLATION", "sts")
    if isolation not in get_args(Isolation):
        yield Fault(
            "TENANTRY_ISOLATION", f"{isolation!r} is not {' or '.join(get_args(Isolation))}"
        )
    if not _ENCRYPTION.fullmatch(environ.get("TENANTRY_ENCRYPTION", "")):
        yield Fault("TENANTRY_ENCRYPTION", "is not s3 or kms:<key>", "leave it out for none")
    ca_file = environ.get("TENANTRY_CA_FILE", "")
    if ca_file and not Path(ca_file).is_file():
        yield Fault("TENANTRY_CA_FILE", f"{ca_file!r} is no file", "mount the authority's PEM file")
