"""What code with a tenant worker's credentials may try against a bucket: over seventy ways out."""

import http.client
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote, urlencode, urlsplit

from minio import Minio, MinioAdmin
from minio.commonconfig import ComposeSource, CopySource, Tags
from minio.credentials import Credentials, StaticProvider
from minio.deleteobjects import DeleteObject
from minio.error import MinioAdminException
from minio.signer import sign_v4_s3

from tenantry.digests import sha256
from tenantry.store.s3_client import BucketAddress

SECRET = b"what only its owner may read"
REGION = "us-east-1"


@dataclass(frozen=True)
class World:
    """A bucket with the data of several tenants, and who attacks from inside one of them.

    Attributes:
        address: The bucket, with the worker's credentials.
        own: An object of its own.
        victims: Objects that it must not read, write, list or remove.
        kept: Of its own: what it may read, and never change.
        shared: What it may read, and never change.
    """

    address: BucketAddress
    own: str
    victims: tuple[str, ...]
    kept: tuple[str, ...]
    shared: str

    @property
    def client(self) -> Minio:
        address = self.address
        return Minio(
            address.endpoint,
            address.access_key,
            address.secret_key,
            address.session_token,
            secure=False,
            region=REGION,
        )


Attempt = tuple[str, Callable[[], object]]


def attempts(world: World) -> Iterator[Attempt]:
    """Yield every attempt with its name; each returns what it got, or raises."""
    for key in world.victims:
        yield from _of_reading(world, key)
        yield from _of_writing(world, key)
    for key in (*world.kept, world.shared):
        yield from _of_writing(world, key)
    yield from _of_listing(world)
    yield from _of_paths(world)
    yield from _of_the_server(world)


def _of_reading(world: World, key: str) -> Iterator[Attempt]:
    client, bucket = world.client, world.address.bucket
    yield f"get {key}", lambda: client.get_object(bucket, key).data
    yield f"stat {key}", lambda: client.stat_object(bucket, key)
    yield f"version of {key}", lambda: client.get_object(bucket, key, version_id="null").data
    yield f"range of {key}", lambda: client.get_object(bucket, key, offset=0, length=4).data
    yield f"tags of {key}", lambda: _some(client.get_object_tags(bucket, key))
    yield f"copy from {key}", lambda: client.copy_object(bucket, world.own, CopySource(bucket, key))
    yield (
        f"compose from {key}",
        lambda: client.compose_object(bucket, world.own, [ComposeSource(bucket, key)]),
    )
    yield (
        f"presigned {key}",
        lambda: raw(world, "GET", path_of(client.presigned_get_object(bucket, key)), sign=False),
    )


def _of_writing(world: World, key: str) -> Iterator[Attempt]:
    client, bucket = world.client, world.address.bucket
    tags = Tags.new_object_tags()
    tags["a"] = "b"
    yield f"put {key}", lambda: client.put_object(bucket, key, io.BytesIO(b"mine"), 4)
    yield f"remove {key}", lambda: client.remove_object(bucket, key)
    yield f"remove version {key}", lambda: client.remove_object(bucket, key, version_id="null")
    yield f"remove many {key}", lambda: _refuse_errors(client, bucket, key)
    yield f"copy to {key}", lambda: client.copy_object(bucket, key, CopySource(bucket, world.own))
    yield f"multipart {key}", lambda: client._create_multipart_upload(bucket, key, {})
    yield f"tag {key}", lambda: client.set_object_tags(bucket, key, tags)
    yield (
        f"presigned put {key}",
        lambda: raw(
            world, "PUT", path_of(client.presigned_put_object(bucket, key)), b"mine", sign=False
        ),
    )


def _refuse_errors(client: Minio, bucket: str, key: str) -> None:
    for error in client.remove_objects(bucket, [DeleteObject(key)]):
        raise PermissionError(error.code)


def _some(value: object) -> object:
    if value is None:  # an object without tags was asked about, and told of
        return "no tags"
    return value


def _of_listing(world: World) -> Iterator[Attempt]:
    client, bucket, top = world.client, world.address.bucket, world.address.prefix
    folder = world.own.rpartition("/")[0]
    for prefix in (
        *("", top, f"{top}tenants/", f"{top}tenants/p/", f"{top}tenants/p/b/", f"{top}tenants/p2/"),
        *(folder, folder[:-1], f"{folder}/../b/", f"{top}runs/", f"{top}products/", f"{top}specs"),
        *(f"{top}products/p/index/", f"{top}TENANTS/p/b/", f"/{folder}/", f"{top}tenants/p/*/"),
    ):
        yield (
            f"list {prefix!r}",
            lambda p=prefix: [one.object_name for one in client.list_objects(bucket, p)],
        )
    own = f"{folder}/"
    for name, query in {
        "list v1 from a marker of its own": [("marker", own), ("prefix", "")],
        "list two prefixes": [("list-type", 2), ("prefix", own), ("prefix", f"{top}tenants/p/b/")],
        "list two prefixes, its own last": [("list-type", 2), ("prefix", top), ("prefix", own)],
        "list all versions": [("versions", "")],
        "list the other's versions": [("prefix", f"{top}tenants/p/b/"), ("versions", "")],
        "list uploads": [("uploads", "")],
        "list without a prefix": [("list-type", 2)],
        "list a prefix encoded twice": [("list-type", 2), ("prefix", f"{top}tenants%2Fp%2Fb%2F")],
        "list from a token": [("continuation-token", own), ("list-type", 2), ("prefix", "")],
        "list with its own prefix as delimiter": [("delimiter", own), ("prefix", top)],
    }.items():
        yield name, lambda q=query: raw(world, "GET", f"/{bucket}?{urlencode(q, safe='~')}")

    for name in ("prefix", "Prefix", "x-amz-prefix", "X-Amz-Meta-Prefix"):
        for query in ([("prefix", f"{top}tenants/p/b/")], [("list-type", 2)], [("versions", "")]):
            yield (
                f"list {query} with a header {name}",
                lambda q=query, n=name: raw(
                    world, "GET", f"/{bucket}?{urlencode(q, safe='~')}", headers={n: own}
                ),
            )


def _of_paths(world: World) -> Iterator[Attempt]:
    bucket, top = world.address.bucket, world.address.prefix
    own, victim = world.own.rpartition("/")[0], "b/rows.parquet"
    for path in (
        *(f"{own}/../{victim}", f"{own}/%2e%2e/{victim}", f"{own}/%2E%2E%2F{victim}"),
        *(f"{own}/..%2f{victim}", f"{own}//../{victim}"),
        *(f"{own}/./../{victim}", f"{top}tenants/p//{victim}", f"{top}tenants/p/./{victim}"),
        *(f"{top}tenants/p/B/rows.parquet", f"{top}TENANTS/p/{victim}", f"{own}%2f..%2f{victim}"),
        *(f"{own}/..\\{victim}", f"{own}%00/../{victim}", f"{own}/../../p/{victim}"),
        *(f"{top}tenants%2fp%2fb%2frows.parquet", f"{top}tenants/p/b%2frows.parquet"),
        *(f"../{bucket}/{top}tenants/p/{victim}", f"{top}tenants/p/{victim}/"),
    ):
        for method, body in (("GET", b""), ("PUT", b"mine"), ("DELETE", b"")):
            yield (
                f"{method} {path}",
                lambda p=path, m=method, b=body: raw(world, m, f"/{bucket}/{p}", b),
            )
    for source in (
        f"{own}/../{victim}",
        f"{own}/%2e%2e/{victim}",
        f"{top}tenants/p/b%2Frows.parquet",
    ):
        headers = {"x-amz-copy-source": f"/{bucket}/{source}"}
        yield (
            f"copy source {source}",
            lambda h=headers: raw(world, "PUT", f"/{bucket}/{world.own}", headers=h),
        )


def _of_the_server(world: World) -> Iterator[Attempt]:
    client, bucket = world.client, world.address.bucket
    yield "read the bucket's policy", lambda: client.get_bucket_policy(bucket)
    yield "open the bucket", lambda: client.set_bucket_policy(bucket, "{}")
    yield "read the lifecycle", lambda: client.get_bucket_lifecycle(bucket) or "none"
    yield "remove the bucket", lambda: client.remove_bucket(bucket)
    yield "make a bucket", lambda: client.make_bucket("of-my-own")
    yield "versions off", lambda: raw(world, "PUT", f"/{bucket}?versioning=", b"<x/>")
    yield "list users", lambda: raw(world, "GET", "/minio/admin/v3/list-users")
    yield (
        "read a policy",
        lambda: raw(world, "GET", "/minio/admin/v3/info-canned-policy?name=readwrite"),
    )
    yield "make a user", lambda: raw(world, "PUT", "/minio/admin/v3/add-user?accessKey=me", b"x")
    yield "make an account", lambda: _make_account(world)


def _make_account(world: World) -> bytes | None:
    """Ask for an account that outlives the session; return what it reads of another tenant."""
    address = world.address
    who = StaticProvider(address.access_key, address.secret_key, address.session_token)
    admin = MinioAdmin(endpoint=address.endpoint, credentials=who, secure=False)
    try:
        made = json.loads(admin.add_service_account())["credentials"]
    except MinioAdminException as error:
        raise PermissionError(error) from None
    account = Minio(address.endpoint, made["accessKey"], made["secretKey"], secure=False)
    return account.get_object(address.bucket, world.victims[0]).data


def path_of(url: str) -> str:
    """Return path and query of an address."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def raw(
    world: World,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    headers: dict[str, str] | None = None,
    sign: bool = True,
) -> bytes:
    """Send a request whose path nobody tidies; return the answer's body.

    Raises:
        PermissionError: The answer is an error.
    """
    address = world.address
    sent = {"host": address.endpoint, **(headers or {})}
    if sign:
        now, digest = datetime.now(UTC), sha256(body)
        sent |= {
            "x-amz-date": now.strftime("%Y%m%dT%H%M%SZ"),
            "x-amz-content-sha256": digest,
            "x-amz-security-token": address.session_token,
        }
        plain, _, query = path.partition("?")
        signed = quote(unquote(plain), safe="/~")  # as the server reads the path: once decoded
        signed += f"?{query}" if query else ""
        sent = dict(
            sign_v4_s3(
                method=method,
                url=urlsplit(f"http://{address.endpoint}{signed}"),
                region=REGION,
                headers=sent,
                credentials=Credentials(address.access_key, address.secret_key),
                content_sha256=digest,
                date=now,
            )
        )
    connection = http.client.HTTPConnection(address.endpoint, timeout=10)
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if answer.status >= 300:
        raise PermissionError(answer.status, content.decode(errors="replace"))
    return content
