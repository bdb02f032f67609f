"""What a frame's file is made of."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tenantry.parquet import from_parquet, join_parquet, table_to_parquet, to_parquet


def test_numbers_that_all_differ_take_no_dictionary_of_their_own():
    frame = pd.DataFrame({"same": np.arange(50_000.0) % 7, "different": np.arange(50_000.0)})
    content = to_parquet(frame)
    group = pq.read_metadata(io.BytesIO(content)).row_group(0)
    plain = 8 * len(frame)
    assert group.column(0).total_uncompressed_size < plain / 10
    assert plain < group.column(1).total_uncompressed_size < plain * 1.01
    assert group.column(1).total_compressed_size < plain / 10
    pd.testing.assert_frame_equal(from_parquet(content), frame)
    assert join_parquet([frame]) == content


def test_long_texts_are_the_same_bytes_in_however_many_pieces_they_are_held():
    texts = [f"{number} " * 300 for number in range(2000)]
    whole = pa.table({"text": texts})
    pieces = pa.table({"text": pa.chunked_array([texts[:700], texts[700:1777], texts[1777:]])})
    assert table_to_parquet(pieces) == table_to_parquet(whole)
