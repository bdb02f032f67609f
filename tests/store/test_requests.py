"""Where a bucket is asked."""

import pytest
from minio.helpers import BaseURL

from tenantry.store.s3_client import BucketAddress
from tenantry.store.s3_requests import bucket_url

PLACES = {
    "minio.example:9000": "https://minio.example:9000/models",
    "10.0.0.1": "https://10.0.0.1/models",
    "[::1]:9000": "https://[::1]:9000/models",
    "s3.eu-west-1.amazonaws.com": "https://models.s3.eu-west-1.amazonaws.com",
    "s3.amazonaws.com": "https://models.s3.eu-west-1.amazonaws.com",
    "s3.cn-north-1.amazonaws.com.cn": "https://models.s3.eu-west-1.amazonaws.com.cn",
    "oss-eu-central-1.aliyuncs.com": "https://models.oss-eu-central-1.aliyuncs.com",
}


@pytest.mark.parametrize(("endpoint", "url"), PLACES.items())
def test_a_bucket_is_asked_where_minio_py_would(endpoint, url):
    address = BucketAddress(endpoint, "models", "who", "s3cr3t", region="eu-west-1")
    assert bucket_url(address) == url
    base = BaseURL(f"https://{endpoint}", address.region)
    built = base.build(method="GET", region=address.region, bucket_name=address.bucket)
    assert built.geturl().rstrip("/") == url
