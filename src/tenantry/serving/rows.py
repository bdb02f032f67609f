"""One row by one model: features, then the prediction."""

import math
from datetime import datetime
from typing import Any

from tenantry.errors import FieldsError
from tenantry.packed.columns import Row
from tenantry.serving.loading import Loaded
from tenantry.serving.protocol import Fields
from tenantry.serving.refusals import bad_request


def predict_row(loaded: Loaded, row: Fields, at: datetime) -> Any:  # noqa: ANN401 - `Told`
    """Predict a row as of when it is asked for.

    Raises:
        RefusedError: Its fields are wrong.
    """
    own, pooled = features_of(loaded, row, at)
    told = loaded.scorer.predict_row(own, pooled)
    if type(told) is float and not math.isfinite(told):
        raise bad_request("a field is too large for the model")
    return told


def features_of(loaded: Loaded, row: Fields, at: datetime) -> tuple[Row, Row]:
    """Return what own and pooled model read of a row.

    Raises:
        RefusedError: Its fields are wrong.
    """
    try:
        return loaded.features(row, at)
    except FieldsError as error:
        raise bad_request(str(error)) from None
