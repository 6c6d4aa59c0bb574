"""Training, from settings to a run's folder, in this process."""

from __future__ import annotations

import contextlib
import io
import json
import math
import re
import shutil

import pytest
from PIL import Image
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from spiral import config, usage
from spiral.errors import InputError
from spiral.metrics import METRICS
from spiral.program import Program, matches_checksum
from spiral.report import Report
from spiral.run_folder import RunFolder
from spiral.train import Training


def train_here(run, path, checkpoint=None):
    """A whole run on the Ray there is; its folder and what the user saw."""
    folder, screen = RunFolder(path), io.StringIO()
    with (
        Report(Console(file=screen, soft_wrap=True)) as report,
        contextlib.closing(Training(run, folder, report, checkpoint)) as training,
    ):
        training.loop()
    return folder, screen.getvalue()


@pytest.fixture(scope="module")
def finished(on_ray, tiny_run, tmp_path_factory):
    return train_here(tiny_run, tmp_path_factory.mktemp("finished") / "run")


@pytest.fixture
def copy(finished, tmp_path):
    """The finished run, to do something to."""
    return RunFolder(shutil.copytree(finished[0].path, tmp_path / "run"))


def test_what_the_user_sees(finished):
    lines = finished[1].splitlines()
    assert lines[0] == f"Training in {finished[0].path}: digits, objective wasserstein, seed 5"
    assert "Fréchet distance" in lines[-2]
    assert lines[-1].startswith("Done after ")
    assert lines[-1].endswith(f"Look at {finished[0].path / 'sheet.png'}")


def test_a_painter_that_can_paint_little_else_is_said_to_have_collapsed(on_ray, tiny_run, tmp_path, finished):
    poor = config.override(tiny_run, ["env.grid=2", "env.episode_length=1", "env.sizes=[0.05]", "env.pressures=[0.2]"])
    _, said = train_here(poor, tmp_path / "run")
    assert "WARNING: the painter has collapsed: its paintings have " in said
    assert "begin anew with a larger learner.entropy (now " in said
    assert "WARNING" not in finished[1]


def test_the_runs_folder_holds_its_settings_and_no_more_than_its_parts(finished, tiny_run):
    folder, _ = finished
    assert folder.read_config() == tiny_run
    parts = {"config.json", "metrics.jsonl", "samples", "checkpoints", "tensorboard", "programs", "sheet.png"}
    assert {entry.name for entry in folder.path.iterdir()} == parts | {"painting.gif"}


def test_metrics_are_finite_strict_json_and_each_has_its_meaning(finished):
    rows = [
        json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} in the metrics"))
        for line in finished[0].metrics_file.read_text().splitlines()
    ]
    assert {name for row in rows for name in row} - {"env_steps"} <= set(METRICS)
    assert all(math.isfinite(value) for row in rows for value in row.values())
    assert [row["env_steps"] for row in rows] == sorted(row["env_steps"] for row in rows)
    assert all(row["env_steps"] == row.get("env_steps_trained", row["env_steps"]) for row in rows)
    assert rows[-1]["env_steps"] >= 240
    assert "frechet_ratio" in rows[-1]


def test_the_same_figures_are_on_the_board(finished):
    folder, _ = finished
    board = EventAccumulator(str(folder.tensorboard), size_guidance={"scalars": 0})
    board.Reload()
    steps = [row["env_steps"] for row in folder.metrics() if "value_loss" in row]
    assert [event.step for event in board.Scalars("value_loss")] == steps
    assert board.Tags()["images"] == ["samples"]


def test_pictures_and_programs(finished):
    folder, _ = finished
    (sample,) = folder.samples.iterdir()
    for path in (sample, folder.path / "sheet.png", folder.path / "painting.gif"):
        with Image.open(path) as picture:
            picture.load()
    programs = [Program.load(path) for path in sorted(folder.programs.iterdir())]
    assert len(programs) == 10
    assert all(matches_checksum(program) for program in programs)
    assert programs[0].origin.startswith("run, ")


def test_a_finished_run_goes_on_to_a_larger_budget(copy, tiny_run):
    before = copy.metrics()
    at = before[-1]["env_steps"]
    run = config.override(tiny_run, [f"env_steps={2 * at}"])
    _, said = train_here(run, copy.path, copy.newest_checkpoint())
    assert f"Going on from {at:,} steps and " in said
    rows = copy.metrics()
    assert rows[: len(before)] == before
    following = rows[len(before)]
    assert following["env_steps"] > at
    end = run.learner.learning_rate * run.learner.final_learning_rate
    assert following["learning_rate"] > 2 * end  # half of the run is left again
    assert following["seconds"] > before[-1]["seconds"]
    assert rows[-1]["env_steps"] >= 2 * at
    assert copy.read_config() == run


def test_a_run_ends_when_its_cpu_seconds_are_spent(on_ray, tiny_run, tmp_path):
    budget = usage.cpu_seconds() + 15  # some of them for the start
    run = config.override(tiny_run, ["env_steps=none", "minutes=1.5", f"cpu_seconds={budget}"])
    folder, said = train_here(run, tmp_path / "run")
    assert re.search(r"^Done after [\d,]+ steps", said, re.MULTILINE)
    last = [row for row in folder.metrics() if "learning_rate" in row][-1]
    assert budget <= last["cpu_seconds"] < budget + 10
    final = run.learner.learning_rate * run.learner.final_learning_rate
    assert final <= last["learning_rate"] < 0.9 * run.learner.learning_rate  # it fell with the CPU seconds


def test_a_run_that_ended_by_the_clock_gets_its_learning_rate_back(copy, tiny_run):
    at = copy.metrics()[-1]["env_steps"]
    by_time = config.override(tiny_run, ["minutes=0.01", "env_steps=none"])
    copy.write_config(by_time)
    train_here(config.override(tiny_run, [f"env_steps={100 * at}", "minutes=0.2"]), copy.path, copy.newest_checkpoint())
    assert max(row.get("learning_rate", 0) for row in copy.metrics() if row["env_steps"] > at) > 3e-4


@pytest.mark.parametrize(
    "damaged", ["run.json", "algorithm/algorithm_state.pkl", "algorithm/learner_group/learner/state.pkl"]
)
def test_a_damaged_checkpoint(on_ray, copy, tiny_run, damaged):
    file = copy.newest_checkpoint() / damaged
    file.write_bytes(file.read_bytes()[:10])
    before = copy.metrics_file.read_text()
    with pytest.raises(InputError, match=r"cannot go on from .*/\d{12}: it is damaged or of other settings \("):
        train_here(config.override(tiny_run, ["env_steps=10000"]), copy.path, copy.newest_checkpoint())
    assert copy.read_config() == tiny_run
    assert copy.metrics_file.read_text() == before


def test_settings_that_the_checkpoint_does_not_fit_are_not_kept(copy, tiny_run):
    with pytest.raises(InputError, match="damaged or of other settings"):
        train_here(config.override(tiny_run, ["painter.hidden=32"]), copy.path, copy.newest_checkpoint())
    assert copy.read_config() == tiny_run
