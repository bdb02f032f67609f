#!/bin/sh
# Install what one image holds into /opt/tenantry: `install.sh wheel` first, then `install.sh GROUP`.
set -eu

checked() { # install from a lock file; only wheels, only those whose hashes stand there
  python3 -m pip --python "$1/bin/python" install -q --require-hashes --only-binary :all: --no-deps -r "$2"
}

case "$1" in
  wheel) # Tenantry's own, by a build backend that is pinned too
    python3 -m venv --without-pip /build/backend
    checked /build/backend requirements/image-build.lock
    python3 -m pip --python /build/backend/bin/python wheel -q --no-deps --no-build-isolation -w /build/wheels .
    ;;
  *)
    python3 -m venv --without-pip /opt/tenantry
    checked /opt/tenantry "requirements/image-$1.lock"
    python3 -m pip --python /opt/tenantry/bin/python install -q --no-deps --no-index /build/wheels/*.whl
    if [ -d pipelines ]; then
      mkdir /opt/tenantry/app
      cp -r components pipelines /opt/tenantry/app/
    fi
    for package in numba numpy pandas pyarrow scipy sklearn; do # a fifth of their size, unused
      find /opt/tenantry/lib -path "*/site-packages/$package/*" -name tests -type d -prune -exec rm -rf {} +
    done
    /opt/tenantry/bin/python images/sbom.py "tenantry/$1" >/opt/tenantry/sbom.cdx.json
    # the root file system is read-only when it runs: what is not compiled now is compiled each time
    /opt/tenantry/bin/python -m compileall -q -j 0 /opt/tenantry || true
    ;;
esac
