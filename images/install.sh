#!/bin/sh
# Install what one image holds into /opt/tenantry: `install.sh wheels` first, then `install.sh GROUP`.
set -eu

# Published as a source archive only; everything else comes as a wheel.
SOURCE_ONLY=kfp-server-api

entry() { # print what a lock file says of SOURCE_ONLY, or with -v of all others
  awk -v name="$SOURCE_ONLY==" -v others="${2:+1}" \
    '/^[a-z0-9]/ { mine = index($0, name) == 1 } (others ? !mine : mine)' "$1"
}

checked() { # install wheels into an environment, those alone whose hashes stand in the lock file
  python3 -m pip --python "$1/bin/python" install -q --no-compile --require-hashes --only-binary :all: --no-deps -r "$2"
}

case "$1" in
  wheels) # Tenantry's and that one's, by a build backend that is pinned too
    python3 -m venv --without-pip /build/backend
    checked /build/backend requirements/image-build.lock
    entry requirements/image-plan.lock >/build/source.lock
    build="python3 -m pip --python /build/backend/bin/python wheel -q --no-deps --no-build-isolation -w /build/wheels"
    $build --require-hashes --no-binary "$SOURCE_ONLY" -r /build/source.lock
    $build .
    ;;
  *)
    entry "requirements/image-$1.lock" -v >/build/wheels.lock
    python3 -m venv --without-pip /opt/tenantry
    checked /opt/tenantry /build/wheels.lock
    own=$(entry "requirements/image-$1.lock") # nothing where the image does without
    [ -n "$own" ] || rm -f /build/wheels/kfp_server_api-*.whl
    python3 -m pip --python /opt/tenantry/bin/python install -q --no-compile --no-deps --no-index /build/wheels/*.whl
    if [ -d pipelines ]; then
      mkdir /opt/tenantry/app
      cp -r components pipelines /opt/tenantry/app/
    fi
    for package in numba numpy pandas pyarrow scipy sklearn; do # a fifth of their size, unused
      find /opt/tenantry/lib -path "*/site-packages/$package/*" -name tests -type d -prune -exec rm -rf {} +
    done
    /opt/tenantry/bin/python images/sbom.py "tenantry/$1" >/opt/tenantry/sbom.cdx.json
    # Whatever the times of its sources: builders round them to seconds, and what is stale is compiled
    # again at each start, as nothing can be written then: with Evidently 4 seconds of CPU. What does
    # not compile are templates.
    /opt/tenantry/bin/python -m compileall -q -f -j 0 --invalidation-mode unchecked-hash /opt/tenantry || true
    ;;
esac
