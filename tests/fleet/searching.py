"""An assignment that looks, where it arrives, for what the worker's last tenants left."""

import gc
import json
import os
from hashlib import sha256
from pathlib import Path

from tenantry import layout
from tenantry.errors import StoreDeniedError
from tenantry.jobs import Assignment


class Searched(Assignment):
    """What it finds lies in `place`, a file an assignment."""

    place = ""

    def __reduce__(self):
        return _searched, (self.place, self.stage, self.job, self.memory_mib)


def _searched(place, stage, job, memory_mib):
    before = [one for one in read_found(place) if one["worker"] == os.getpid()]
    wanted = {digest for one in before for digest in one["secrets"]} - _digests(job)
    found = {
        "worker": os.getpid(),
        "tenant": job.tenant,
        "stage": stage,
        "secrets": sorted(_digests(job)),
        "left": sum(_digest(text) in wanted for text in _held_texts()),
        "denied": all(_is_denied(job, one["tenant"]) for one in before),
    }
    (Path(place) / f"{stage}-{job.tenant}.json").write_text(json.dumps(found))
    return Assignment(stage, job, memory_mib)


def read_found(place):
    """Return what was found so far."""
    return [json.loads(path.read_text()) for path in sorted(Path(place).iterdir())]


def _digests(job):
    address = job.store._address
    return {_digest(one) for one in (address.access_key, address.secret_key, address.session_token)}


def _digest(text):
    return sha256(text if isinstance(text, bytes) else text.encode(errors="replace")).hexdigest()


def _held_texts():
    """Yield the texts that any object holds, of those made since the worker was forked."""
    waiting, seen = gc.get_objects(), set()
    while waiting:
        for held in gc.get_referents(waiting.pop()):
            if isinstance(held, (str, bytes)):
                yield held
            elif not gc.is_tracked(held) and id(held) not in seen:
                seen.add(id(held))
                waiting.append(held)


def _is_denied(job, tenant):
    if tenant == job.tenant:
        return True
    try:
        job.store.get(layout.champion(job.product, tenant))
    except StoreDeniedError:
        return True
    return False
