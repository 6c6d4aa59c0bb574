from __future__ import annotations

import json

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from spiral.log import MetricsLog
from spiral.run_folder import RunFolder


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


def log(folder, begin, *steps):
    metrics = MetricsLog(folder, begin)
    for step in steps:
        metrics.write(step, {"ink": step / 100})
    metrics.close()


def board(folder):
    accumulator = EventAccumulator(str(folder.tensorboard), size_guidance={"scalars": 0, "images": 0})
    accumulator.Reload()
    return accumulator


def test_rows_are_read_back_and_shown_on_the_board(folder):
    log(folder, 0, 10, 20)
    assert folder.metrics() == [{"env_steps": 10, "ink": 0.1}, {"env_steps": 20, "ink": 0.2}]
    events = board(folder).Scalars("ink")
    assert [(event.step, event.value) for event in events] == [(10, pytest.approx(0.1)), (20, pytest.approx(0.2))]


def test_a_row_is_in_the_file_at_once(folder):
    metrics = MetricsLog(folder, 0)
    metrics.write(10, {"ink": 0.5})
    assert json.loads(folder.metrics_file.read_text()) == {"env_steps": 10, "ink": 0.5}
    metrics.close()


def test_rows_beyond_where_a_run_goes_on_from_are_taken_again(folder):
    log(folder, 0, 10, 20, 30)
    with folder.metrics_file.open("a") as file:
        file.write('{"env_steps": 40, "in')  # the crash
    log(folder, 20, 25)
    assert [row["env_steps"] for row in folder.metrics()] == [10, 20, 25]
    assert folder.metrics_file.read_text().endswith('"ink": 0.25}\n')
    assert [event.step for event in board(folder).Scalars("ink")] == [10, 20, 25]


def test_pictures_on_the_board(folder):
    metrics = MetricsLog(folder, 0)
    metrics.picture(10, "samples", np.zeros((4, 6, 3), np.uint8))
    metrics.close()
    (event,) = board(folder).Images("samples")
    assert (event.step, event.height, event.width) == (10, 4, 6)
