"""Blocks of time: rows of one day share weather and crowds."""

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.intp]
Times = npt.NDArray[np.datetime64]

MIN_BLOCKS = 5
"""With fewer days than this, blocks are hours."""


def find_blocks(event_time: Times, window: Indices, windows: int) -> tuple[Indices, Indices]:
    """Return each row's block, a day or an hour in a short window, and each block's window.

    Args:
        event_time: When each row's event happens, shape (n,).
        window: Each row's window, 0 to `windows` - 1, shape (n,).
        windows: How many windows.

    Returns:
        Blocks, 0 to b - 1, shape (n,), and their windows, rising, shape (b,).
    """
    day = event_time.astype("datetime64[D]").astype(np.int64)
    home = np.unique(np.stack([window, day]), axis=1)[0]
    short = np.bincount(home, minlength=windows) < MIN_BLOCKS
    hour = event_time.astype("datetime64[h]").astype(np.int64)
    unit = np.where(short[window], hour, day)
    found, block = np.unique(np.stack([window, unit]), axis=1, return_inverse=True)
    return block, found[0]
