"""Make the bucket that TENANTRY_STORE names, with versions; do nothing where it exists."""

import os
import sys
from urllib.parse import urlsplit

from minio import Minio
from minio.commonconfig import ENABLED
from minio.versioningconfig import VersioningConfig


def main() -> None:
    """Make it; a store that does not answer yet fails the pod, and the Job tries again."""
    address = urlsplit(os.environ["TENANTRY_STORE"].removeprefix("s3+"))
    client = Minio(
        address.netloc,
        os.environ["AWS_ACCESS_KEY_ID"],
        os.environ["AWS_SECRET_ACCESS_KEY"],
        secure=address.scheme == "https",
        region=os.environ.get("AWS_REGION", "us-east-1"),
    )
    bucket = address.path.strip("/").split("/")[0]
    if not client.bucket_exists(bucket):
        client.make_bucket(bucket)
    client.set_bucket_versioning(bucket, VersioningConfig(ENABLED))
    sys.stdout.write(f"{bucket} is there, with versions\n")


if __name__ == "__main__":
    main()
