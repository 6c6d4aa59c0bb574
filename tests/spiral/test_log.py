from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image
from quota import file_sizes_up_to
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from spiral.errors import WriteError
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


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_on_the_board(folder, channels):
    metrics = MetricsLog(folder, 0)
    metrics.picture(10, "samples", np.full((4, 6, channels), 7, np.uint8))
    metrics.close()
    (event,) = board(folder).Images("samples")
    assert (event.step, event.height, event.width) == (10, 4, 6)
    with Image.open(io.BytesIO(event.encoded_image_string)) as picture:
        assert picture.size == (6, 4) and picture.getpixel((0, 0)) in (7, (7, 7, 7))


@pytest.mark.parametrize("room", range(0, 200, 7))
def test_a_row_for_which_there_is_no_room_leaves_the_others_whole(folder, room):
    metrics = MetricsLog(folder, 0)
    metrics.write(10, {"ink": 0.1})
    (events,) = folder.tensorboard.iterdir()
    fullest = max(folder.metrics_file.stat().st_size, events.stat().st_size)
    with file_sizes_up_to(fullest + room):
        for _ in range(2):
            with pytest.raises(WriteError, match=r"^cannot write .*: (File too large|No space left on device)$"):
                for step in range(20, 200, 10):
                    metrics.write(step, {"ink": 0.2})
    metrics.write(200, {"ink": 0.3})
    metrics.close()
    rows = [json.loads(line) for line in folder.metrics_file.read_text().splitlines()]
    assert (rows[0]["ink"], rows[-1]) == (0.1, {"env_steps": 200, "ink": 0.3})
    shown = [event.step for event in board(folder).Scalars("ink")]
    assert shown[0] == 10 and shown[-1] == 200


def test_a_folder_that_cannot_be_written(folder):
    folder.path.mkdir()
    folder.tensorboard.write_text("a file in its place")
    with pytest.raises(WriteError, match=rf"^cannot write {folder.tensorboard}/events.*: "):
        MetricsLog(folder, 0)
