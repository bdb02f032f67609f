#!/usr/bin/env bash
# Install the servers that the tests run against: PostgreSQL 15 from Debian, MinIO from its source.
# Does nothing when both are there. PYTHON names the interpreter (python3).
set -euo pipefail
cd "$(dirname "$0")/.."

if [ ! -x /usr/lib/postgresql/15/bin/initdb ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "PostgreSQL 15 is missing; as root: apt-get install postgresql-15" >&2
    exit 1
  fi
  # the tests start a server of their own: let the package make no cluster and start no service
  if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends postgresql-15
fi

echo "MinIO for the tests (built once, some minutes): $("${PYTHON:-python3}" -m tests.servers.minio)"
