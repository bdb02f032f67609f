"""The pooled model and its folds as a chain in time: each link saw nothing after its cut."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from tenantry.metrics import Floats
from tenantry.models.card import PooledCard
from tenantry.models.files import load_fold, load_pooled
from tenantry.models.fitted import link_scores
from tenantry.store.contract import ObjectStore
from tenantry.times import parse_compact


@dataclass(frozen=True)
class Chain:
    """Pooled pipelines in order of time.

    Attributes:
        links: (cut, pipeline): the pipeline saw only labels that were known at the cut.
    """

    links: tuple[tuple[datetime, Pipeline], ...]

    def before(self, moment: datetime) -> Pipeline | None:
        """Return the latest pipeline that saw nothing after `moment`, or None."""
        seen = [pipeline for cut, pipeline in self.links if cut <= moment]
        return seen[-1] if seen else None

    def out_of_fold(self, frame: pd.DataFrame, known_at: "pd.Series[pd.Timestamp]") -> Floats:
        """Score each row by the latest pipeline whose cut is not after the row became known.

        A pipeline is fitted on rows known before its cut (`folds.known_by`), so none scores a row
        that it has seen.

        Args:
            frame: n rows as `features.recipe.pooled_frame` gives them.
            known_at: When each row became known.

        Returns:
            n scores in link space; NaN for rows before the first cut.
        """
        scores = np.full(len(frame), np.nan)
        cuts = pd.to_datetime([cut for cut, _ in self.links], utc=True)
        link = cuts.searchsorted(pd.DatetimeIndex(known_at), side="right") - 1
        for place, (_, pipeline) in enumerate(self.links):
            rows = link == place
            if rows.any():
                scores[rows] = link_scores(pipeline, frame[rows])
        return scores


def load_chain(store: ObjectStore, card: PooledCard) -> Chain:
    """Load a pooled model and all its folds.

    Raises:
        ModelFileError: A file is missing, is not what its digest says, or holds a foreign type.
    """
    links = []
    for cut in sorted(card.folds):
        moment = parse_compact(cut)
        fold = load_fold(store, card, moment)
        if fold is not None:
            links.append((moment, fold))
    return Chain((*links, (card.as_of, load_pooled(store, card))))
