from __future__ import annotations

from pathlib import Path

import numpy as np

from training_assets.core.search.memory import Folder
from training_assets_tests.core.search.made_trials import trial

PREDICTIONS = np.array([0.25, 0.5, 0.75])


def test_finished_trials_come_back_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    memory = Folder(tmp_path / "not yet there")
    assert memory.finished() == []
    memory.keep(trial(4, began=3.0), PREDICTIONS)
    memory.keep(trial(9, began=1.0), 2 * PREDICTIONS)
    (before, _), (good, predictions) = Folder(tmp_path / "not yet there").finished()
    assert (before.number, before.began) == (0, 1.0)
    assert good == trial(1, began=3.0)
    assert np.array_equal(predictions, PREDICTIONS)


def test_a_file_with_any_byte_changed_counts_as_not_there(tmp_path: Path) -> None:
    memory = Folder(tmp_path)
    memory.keep(trial(0), PREDICTIONS)
    (path,) = tmp_path.glob("*.trial")
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        assert memory.finished() == []
    path.write_bytes(whole[:40])
    assert memory.finished() == []
    path.write_bytes(whole)
    assert len(memory.finished()) == 1


def test_a_search_that_is_begun_again_writes_over_no_trial_of_the_one_before(tmp_path: Path) -> None:
    before = Folder(tmp_path)
    for number in (0, 1, 3):  # the one between had not finished when the process ended
        before.keep(trial(number, began=float(number)), PREDICTIONS)
    again = Folder(tmp_path)
    assert [each.number for each, _ in again.finished()] == [0, 1, 2]
    again.keep(trial(3, began=9.0), PREDICTIONS)
    assert [each.began for each, _ in Folder(tmp_path).finished()] == [0.0, 1.0, 3.0, 9.0]
