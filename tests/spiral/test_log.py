from __future__ import annotations

import io
import json

import numpy as np
import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from spiral.log import MetricsLog, Report
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


def report(terminal):
    screen = io.StringIO()
    return Report(Console(file=screen, force_terminal=terminal, width=120, soft_wrap=True)), screen


def test_plain_lines_where_output_is_no_terminal():
    shown, screen = report(terminal=False)
    with shown:
        shown.say("begin")
        shown.show(0.25, 75, "1,000 steps")
        shown.show(0.5, 150, "too soon after the line before")
    assert screen.getvalue() == "begin\n 25%  1:15 gone, 3:45 left  1,000 steps\n"


def test_no_time_left_before_there_is_any_progress():
    shown, screen = report(terminal=False)
    with shown:
        shown.show(0.0, 3, "starting")
    assert screen.getvalue() == "  0%  0:03 gone, time left: ...  starting\n"


def test_hours_left():
    shown, screen = report(terminal=False)
    with shown:
        shown.show(0.5, 3 * 3600 + 61, "")
    assert "3:01:01 gone, 3:01:01 left" in screen.getvalue()


def test_a_bar_on_a_terminal():
    shown, screen = report(terminal=True)
    with shown:
        shown.show(0.25, 75, "1,000 steps")
        shown.say("a line that stays")
    assert all(part in screen.getvalue() for part in ("25%", "3:45 left", "1,000 steps", "a line that stays\n"))
