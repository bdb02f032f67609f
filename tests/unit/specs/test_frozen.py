import pickle

from tenantry.specs.frozen import freeze_specs, read_frozen_specs
from tenantry.store.folder import FolderStore
from tests.unit.tiny_fleet import CANDIDATES, make_spec


def test_specs_are_read_as_they_were_frozen_and_share_what_is_alike(tmp_path):
    reordered = dict(reversed(CANDIDATES.items()))
    specs = {
        "a": make_spec("a"),
        "b": make_spec("b"),
        "c": make_spec("c", candidates=reordered),
        "d": make_spec("d", candidates=CANDIDATES | {"boosted": {"early_stopping": True}}),
        "e": make_spec("e", candidates=CANDIDATES | {"boosted": {"early_stopping": 1}}),
    }
    store = FolderStore(tmp_path)
    freeze_specs(store, "r1", "s", specs.values())
    read = read_frozen_specs(store, "r1", "s")
    assert read == specs
    assert list(read["c"].model.candidates) == list(reordered)
    assert read["d"].model.candidates["boosted"]["early_stopping"] is True
    assert read["e"].model.candidates["boosted"]["early_stopping"] is not True
    assert read["a"].model is read["b"].model
    assert read["a"].features["hour"] is read["e"].features["hour"]
    assert len(pickle.dumps(list(read.values()))) < 3 * len(pickle.dumps(read["a"]))
