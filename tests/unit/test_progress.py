import sys

import pytest

from tenantry.progress import Progress


@pytest.mark.parametrize("watched", [True, False])
def test_a_bar_is_drawn_where_somebody_watches(watched, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: watched, raising=False)
    with Progress("train", "shard-1", 2) as progress:
        progress.advance("ua", "done")
        progress.advance("oo", "failed")
    drawn = capsys.readouterr().err
    assert ("train shard-1" in drawn and "failed: oo" in drawn) is watched
    assert watched or not drawn
