"""Training, from settings to a run's folder, in this process."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import pickle
import re
import shutil
import signal
import subprocess

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from spiral import config, usage
from spiral.agents.algorithm import Spiral
from spiral.agents.painter_file import load_painter
from spiral.checksums import SUMS_FILE, write_sums
from spiral.errors import InputError, ProcessError, SpiralError
from spiral.files import read_arrays
from spiral.metrics import METRICS
from spiral.program import Program, matches_checksum
from spiral.report import Report
from spiral.run_folder import CHECKPOINT_FILES, STATE_FILE, RunFolder, find_painter
from spiral.state_file import load_state, save_state
from spiral.train import Training, train


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


def test_settings_that_the_checkpoint_does_not_fit_are_not_kept(copy, tiny_run):
    newest, before = copy.newest_checkpoint(), copy.metrics_file.read_text()
    with pytest.raises(
        InputError,
        match=rf"^cannot go on from {newest}: it is of other settings \(.*\); leave the settings as they were$",
    ):
        train_here(config.override(tiny_run, ["painter.hidden=32"]), copy.path, newest)
    assert copy.read_config() == tiny_run
    assert copy.metrics_file.read_text() == before


def test_a_process_that_is_lost_while_a_checkpoint_is_read_is_no_fault_of_the_settings(copy, tiny_run, monkeypatch):
    lost = ProcessError("a learner's process died (is memory short?)")
    stopped = []

    def lose(self, state):
        raise lost

    monkeypatch.setattr(Spiral, "set_run_state", lose)
    monkeypatch.setattr(Spiral, "stop", lambda self: stopped.append(self))
    with pytest.raises(ProcessError) as caught:
        Training(tiny_run, copy, Report(Console(quiet=True)), copy.newest_checkpoint())
    assert caught.value is lost and len(stopped) == 1


def test_what_the_attempts_of_a_run_cost_counts_once(copy, tiny_run, monkeypatch):
    monkeypatch.setattr(
        "spiral.train.ray_session", lambda run, address: contextlib.nullcontext()
    )  # Ray is here already
    monkeypatch.setattr("spiral.train.last_words", lambda said: contextlib.nullcontext())
    counted = []

    def lose(self):
        counted.append((self.cpu_seconds, usage.cpu_seconds()))
        if len(counted) < 3:
            self.env_steps += 1  # a checkpoint's name
            self.save()
            raise ProcessError("lost") from RuntimeError("a process was lost")

    monkeypatch.setattr(Training, "loop", lose)
    train(tiny_run, copy.path, resume=True, report=Report(Console(quiet=True)))
    (first, began), *others = counted
    for run, spent in others:
        assert 0 <= run - first <= spent - began


@pytest.mark.faults("a checkpoint cut short, each of its files")
@pytest.mark.parametrize("name", CHECKPOINT_FILES)
def test_a_damaged_checkpoint_ends_resuming_before_anything_is_started(copy, tiny_run, name):
    newest = copy.newest_checkpoint()
    (newest / name).write_bytes((newest / name).read_bytes()[:-1])
    with pytest.raises(
        InputError, match=f"^{newest} is damaged: {name} is not as it was written, or is missing; no old"
    ):
        train(tiny_run, copy.path, resume=True)


class Attack:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def pickled(path, attack):
    path.write_bytes(pickle.dumps(attack))


def pickled_in_arrays(path, attack):
    with np.load(path) as arrays:
        contents = dict(arrays)
    np.savez(path, **contents | {name: np.array([attack], dtype=object) for name in contents})


@pytest.mark.faults("a checkpoint with code in it, in each of its files")
@pytest.mark.parametrize("put_in", [pickled, pickled_in_arrays])
@pytest.mark.parametrize("name", CHECKPOINT_FILES)
def test_no_pickle_in_a_strangers_checkpoint_is_run(on_ray, copy, tiny_run, tmp_path, name, put_in):
    newest, hacked = copy.newest_checkpoint(), tmp_path / "hacked"
    put_in(newest / name, Attack(hacked))
    pickled(newest / "algorithm_state.pkl", Attack(hacked))
    (newest / SUMS_FILE).unlink()
    write_sums(newest)
    assert copy.checkpoint_to_go_on_from() == newest
    if name == STATE_FILE:
        with pytest.raises(InputError, match=f"^cannot read {newest / name}: it is damaged or holds no state"):
            train_here(config.override(tiny_run, ["env_steps=10000"]), copy.path, newest)
    else:
        with pytest.raises(InputError, match=f"{newest / name}(: it is damaged| is not a painter file)"):
            load_painter(find_painter(copy.path))
    assert not hacked.exists()


def test_a_checkpoint_holds_no_pickle(finished):
    newest = finished[0].newest_checkpoint()
    assert {path.name for path in newest.rglob("*")} == {*CHECKPOINT_FILES, SUMS_FILE}
    for name in CHECKPOINT_FILES:
        assert all(not array.dtype.hasobject for array in read_arrays(newest / name).values())


@pytest.mark.faults("NaN in the weights of the discriminator, in the learner and in a process of its own")
@pytest.mark.parametrize("processes", [[], ["num_learners=1", "num_env_runners=1", "discriminator.remote=true"]])
def test_weights_that_are_spoiled_end_the_run_with_the_checkpoint_to_go_on_from(copy, tiny_run, processes):
    newest = copy.newest_checkpoint()
    state = load_state(newest / STATE_FILE)
    for weights in state["algorithm"]["learner"]["spiral"]["learners"][0]["scorer"]["learner"]["weights"].values():
        weights[:] = np.nan
    save_state(newest / STATE_FILE, state)
    with pytest.raises(
        SpiralError,
        match=rf"^the run failed at [\d,]+ steps \(losses of the discriminator are not finite, version \d+"
        rf"\); go on from its last checkpoint with: spiral train --resume --out {copy.path}$",
    ):
        train_here(config.override(tiny_run, ["env_steps=10000", *processes]), copy.path, newest)
    assert copy.newest_checkpoint() == newest


class Listener(Report):
    """A report that does something when a line begins so: (beginning, what to do), each once, one after the other."""

    def __init__(self, screen, *reactions):
        super().__init__(Console(file=screen, soft_wrap=True))
        self.reactions = list(reactions)

    def say(self, line):
        super().say(line)
        if self.reactions and re.search(self.reactions[0][0], line):
            self.reactions.pop(0)[1]()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of two megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.fixture
def filled(small_disk):
    """Fills it to the last byte."""

    def fill():
        with contextlib.suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass

    return fill


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def train_and_listen(run, path, *reactions):
    folder, screen = RunFolder(path), io.StringIO()
    with (
        Listener(screen, *reactions) as report,
        contextlib.closing(Training(run, folder, report, None)) as training,
    ):
        try:
            training.loop()
        finally:
            assert not report.reactions, screen.getvalue()
    return folder, screen.getvalue()


@pytest.fixture(scope="module")
def often(tiny_run):
    """A run with a checkpoint after each iteration, until it is interrupted."""
    return config.override(tiny_run, ["env_steps=1000000000", "evaluate_minutes=0.01"])


@pytest.mark.faults("the disk is full for a while, at a checkpoint")
def test_a_disk_that_is_full_for_a_while_ends_no_run(on_ray, often, small_disk, filled):
    folder, said = train_and_listen(
        often,
        small_disk / "run",
        ("steps  Fréchet", filled),
        ("WARNING: cannot write .*state.npz", lambda: None),
        ("WARNING: cannot write .*state.npz", (small_disk / "filler").unlink),
        ("steps  Fréchet", interrupt),
    )
    warning = (
        r"^WARNING: cannot write .*: No space left on device. Training goes on, and it is tried again in 0.01 minu"
    )
    assert re.search(warning, said, re.MULTILINE)
    assert said.endswith(f"Go on with: spiral train --resume --out {folder.path}\n")
    assert folder.checkpoint_to_go_on_from() == folder.newest_checkpoint()
    rows = [json.loads(line) for line in folder.metrics_file.read_text().splitlines()]
    assert rows[-1]["env_steps"] == int(folder.newest_checkpoint().name)
    board = EventAccumulator(str(folder.tensorboard), size_guidance={"scalars": 0})
    board.Reload()
    assert board.Scalars("value_loss")[-1].step == rows[-1]["env_steps"]
    assert not list(folder.checkpoints.glob(".*"))


@pytest.mark.faults("the disk is full at the last checkpoint")
def test_a_disk_that_is_full_at_the_end_leaves_the_checkpoint_before(on_ray, often, small_disk, filled):
    with pytest.raises(
        SpiralError,
        match=r"^the run failed at [\d,]+ steps \(cannot write .*/state.npz: No space left on device\); go on from its last "
        rf"checkpoint with: spiral train --resume --out {small_disk}/run$",
    ) as failure:
        train_and_listen(often, small_disk / "run", ("steps  Fréchet", filled), ("WARNING: cannot write", interrupt))
    assert not isinstance(failure.value, InputError)  # exit code 1
    folder = RunFolder(small_disk / "run")
    assert folder.checkpoint_to_go_on_from() == folder.newest_checkpoint()
