"""Grants as policies of Amazon's language, which MinIO speaks, too."""

import json
from collections.abc import Sequence

from tenantry.isolation.grants import Grant

_READ = ("s3:GetObject",)
_WRITE = (
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
)
_CHANGES = ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion")
_LIST = ("s3:ListBucket", "s3:ListBucketVersions")

Statement = dict[str, object]


def session_policy(grant: Grant, bucket: str, prefix: str) -> str:
    """Return the policy of a session that may do what a grant allows, and nothing else.

    What the grant keeps cannot be written at all: no policy tells adding from replacing. Only a
    grant that says so lists, and then the whole bucket: see `tenantry.isolation.errands`.

    Args:
        grant: What it may do.
        bucket: The bucket.
        prefix: The store's part of it; empty, or ends in ``/``.
    """
    seen = [f"{prefix}{place}" for place in (*grant.reads, *grant.writes)]
    written = [f"{prefix}{place}" for place in grant.writes]
    kept = [f"{prefix}{place}" for place in grant.kept]
    statements = [_allow(_READ, _objects(bucket, seen))]
    if written:
        statements.append(_allow(_WRITE, _objects(bucket, written)))
    if kept:
        statements.append({**_allow(_CHANGES, _objects(bucket, kept)), "Effect": "Deny"})
    if grant.lists:
        statements.append(_allow(_LIST, [f"arn:aws:s3:::{bucket}"]))
    return _document(statements)


def run_policy(bucket: str, prefix: str) -> str:
    """Return the policy of the identity that runs are given.

    By itself it writes plans, ledgers, pooled models and the trail, and reads of tenants what is
    JSON: records, never rows nor models. All else it may only lend to the sessions it asks for,
    where it is narrowed to one tenant: on MinIO a session never has more than who asked for it, so
    the second part has to be there. On Amazon S3 it belongs to the role that is assumed.

    Args:
        bucket: The bucket.
        prefix: The store's part of it; empty, or ends in ``/``.
    """
    own = [f"{prefix}{place}" for place in ("runs/", "products/", "store/")]
    tenants = f"{prefix}tenants/"
    lent = _allow((*_READ, *_WRITE), _objects(bucket, [prefix]))
    lent_lists = _allow(_LIST, [f"arn:aws:s3:::{bucket}"])
    return _document(
        [
            _allow((*_READ, *_WRITE), _objects(bucket, own)),
            _allow(
                _READ,
                _objects(bucket, [f"{prefix}{one}" for one in ("specs/", "specs.json", "store")]),
            ),
            _allow(_READ, _arns(bucket, [f"{tenants}*.json"])),
            _allow(("s3:PutObject",), _arns(bucket, [f"{tenants}*/events/*"])),
            _allow(("s3:DeleteObject",), _arns(bucket, [f"{tenants}*/attempt.json"])),
            _allow((*_LIST, "s3:GetBucketLocation"), [f"arn:aws:s3:::{bucket}"]),
            *(_in_sessions(statement) for statement in (lent, lent_lists)),
        ]
    )


def publisher_policy(bucket: str, prefix: str) -> str:
    """Return the policy of the identity that publishes specs: the sync job's.

    Args:
        bucket: The bucket.
        prefix: The store's part of it; empty, or ends in ``/``.
    """
    specs = [f"{prefix}{one}" for one in ("specs/", "specs.json")]
    return _document([_allow((*_READ, "s3:PutObject"), _objects(bucket, specs))])


def server_policy(bucket: str, prefix: str) -> str:
    """Return the policy of the identity that servers of predictions are given: it changes nothing.

    It reads what answers: the change index, serving records and online features, models, and which
    of them reigned, for requests that name a version; neither rows, nor features of rows, nor
    predictions, nor what people or runs recorded. It lists what is below `products/`; MinIO can be
    tricked out of that condition, and tells names then.

    Args:
        bucket: The bucket.
        prefix: The store's part of it; empty, or ends in ``/``.
    """
    tenants, products = f"{prefix}tenants/", f"{prefix}products/"
    read = [f"{tenants}*/serving/*", f"{tenants}*/models/*", f"{tenants}*/champion.json"]
    read += [f"{products}*/serving/*", f"{products}*/pooled/*"]
    lists = _allow(("s3:ListBucket",), [f"arn:aws:s3:::{bucket}"])
    below = {"StringLike": {"s3:prefix": [f"{products}*"]}}
    return _document([_allow(_READ, _arns(bucket, read)), {**lists, "Condition": below}])


def logging_server_policy(bucket: str, prefix: str) -> str:
    """Return the policy of servers that also keep answers in the store (`serving.log`).

    Besides what `server_policy` allows they write and remove logged answers, and read which rows
    must not be in them: keyed hashes.

    Args:
        bucket: The bucket.
        prefix: The store's part of it; empty, or ends in ``/``.
    """
    served = f"{prefix}tenants/*/served/*"
    base = json.loads(server_policy(bucket, prefix))["Statement"]
    lists = _allow(_LIST, [f"arn:aws:s3:::{bucket}"])
    return _document(
        [
            *base,
            _allow(_READ, _arns(bucket, [f"{prefix}tenants/*/suppressed.json"])),
            _allow(_CHANGES, _arns(bucket, [served])),
            {**lists, "Condition": {"StringLike": {"s3:prefix": [served]}}},
        ]
    )


def _in_sessions(statement: Statement) -> Statement:
    condition = {"StringEquals": {"aws:principaltype": ["AssumedRole"]}}
    return {**statement, "Condition": condition}


def _allow(actions: Sequence[str], resources: Sequence[str]) -> Statement:
    return {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def _objects(bucket: str, places: Sequence[str]) -> list[str]:
    return _arns(bucket, [one if one and one[-1] != "/" else f"{one}*" for one in places])


def _arns(bucket: str, patterns: Sequence[str]) -> list[str]:
    return [f"arn:aws:s3:::{bucket}/{pattern}" for pattern in patterns]


def _document(statements: Sequence[Statement]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
