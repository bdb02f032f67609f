"""A rehearsal: small models are fitted, saved and read before workers are forked.

Scikit-learn, skops and Arrow import some of their parts when they are first used. A worker that is
forked for one tenant would pay for it each time, 0.2 CPU-seconds.
"""

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from tenantry.digests import sha256
from tenantry.models.archive import pack, unpack
from tenantry.models.fitted import link_scores
from tenantry.parquet import from_parquet, to_parquet
from tenantry.training.pipelines import Trees, fit_constant, fit_linear, fit_trees

_ROWS = 60


def rehearse() -> None:
    """Fit each kind of pipeline on made-up rows, score by it, and send it through a model file."""
    place = np.arange(_ROWS, dtype=np.float64)
    names = pd.Series(["a", "b", "c"] * (_ROWS // 3), dtype="str")
    frame = from_parquet(to_parquet(pd.DataFrame({"number": place % 7, "name": names})))
    label = place % 2
    with threadpool_limits(1):  # OpenMP with more threads would not survive the fork
        fitted = (
            fit_constant(frame, label, task="classification"),
            fit_linear(frame, label, task="classification", c=1.0, min_frequency=1),
            fit_trees(frame, label, task="classification", trees=Trees(max_iter=1), seed=0),
        )
        for pipeline in fitted:
            link_scores(pipeline, frame)
            archive = pack({"own": pipeline})
            unpack(archive, "a rehearsal", sha256(archive))
