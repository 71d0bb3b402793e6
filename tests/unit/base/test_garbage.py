"""What Python's collector looks at."""

import gc

from netplane.base.garbage import uncollected


def test_what_is_made_to_stay_is_not_looked_at() -> None:
    before = gc.get_freeze_count()
    try:
        with uncollected():
            assert not gc.isenabled()
            kept = [[number] for number in range(1000)]
        assert gc.isenabled()
        assert gc.get_freeze_count() >= before + len(kept)
    finally:
        gc.unfreeze()
