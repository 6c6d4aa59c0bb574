"""``spiral train``, ``paint`` and ``evaluate`` as a user runs them."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner
from spiral_command import Spiral, settings_of

from spiral import config
from spiral.cli import main
from spiral.run_folder import CHECKPOINT_FILES, STATE_FILE, RunFolder


@pytest.fixture(scope="module")
def settings(tiny_run):
    """The debug preset as the tiny run, with a process for the runner and one for the discriminator."""
    run = config.override(tiny_run, ["num_env_runners=1", "discriminator.remote=true", "evaluate_minutes=0.02"])
    return settings_of(run)


def test_a_run_is_interrupted_killed_and_gone_on_with(tmp_path, settings):
    folder = RunFolder(tmp_path / "run")

    first = Spiral("train", "debug", "--out", "run", "--env-steps", 10**9, *settings, cwd=tmp_path)
    first.read_until("steps  Fréchet distance")
    first.signal(signal.SIGINT)
    code, said, errors = first.end()
    assert (code, errors) == (0, "")
    assert said.endswith("Go on with: spiral train --resume --out run\n")
    assert re.search(r"^Interrupted after [\d,]+ steps and [\d.]+ minutes", said, re.MULTILINE)
    stopped_at = int(folder.newest_checkpoint().name)

    second = Spiral("train", "--resume", "--out", "run", cwd=tmp_path)
    second.read_until(f"Going on from {stopped_at:,} steps")
    second.read_until("steps  Fréchet distance")
    second.process.kill()
    assert second.end()[0] == -signal.SIGKILL
    # The line is written before the checkpoint, so that may be of then or the one before.
    killed_at = int(folder.newest_checkpoint().name)
    assert killed_at >= stopped_at

    third = Spiral("train", "--resume", "--out", "run", "--env-steps", killed_at + 100, cwd=tmp_path)
    code, said, errors = third.end()
    assert (code, errors) == (0, "")
    assert f"Going on from {killed_at:,} steps" in said
    assert re.search(r"^Done after [\d,]+ steps", said, re.MULTILINE)
    assert all(not re.search("WARNING|core_worker|raylet", line) for line in said.splitlines())

    steps = [row["env_steps"] for row in folder.metrics()]
    assert steps == sorted(steps)
    assert steps[-1] == int(folder.newest_checkpoint().name) >= killed_at + 100
    assert not [entry for entry in folder.checkpoints.iterdir() if not entry.name.isdigit()]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with a file, an empty folder and a run without a checkpoint; nothing else may be left in it."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("no painter")
    Path("empty").mkdir()
    RunFolder("run").write_config(config.preset("debug"))
    before = sorted(tmp_path.rglob("*"))
    yield tmp_path
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.faults("a damaged checkpoint, on the command line")
def test_resuming_from_a_damaged_checkpoint_names_it_and_the_one_before_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = RunFolder("run")
    folder.write_config(config.preset("debug"))
    for env_steps in (1, 2):
        with folder.new_checkpoint(env_steps) as beside:
            for name in CHECKPOINT_FILES:
                (beside / name).write_text("weights")
    (folder.newest_checkpoint() / STATE_FILE).write_text("weighst")
    result = CliRunner().invoke(main, ["train", "--resume", "--out", "run"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "Error: run/checkpoints/000000000002 is damaged: state.npz is not as it was written, or is missing; "
        "run/checkpoints/000000000001 is whole: to go on from there, move 000000000002 out of run/checkpoints and give "
        "the same command again\n"
    )


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("train digit", "unknown preset 'digit'; known: .* Did you mean 'digits'?"),
        (
            "train --data digit",
            "unknown dataset 'digit'; known: digits, mnist. Did you mean 'digits'? (or give a folder of .*",
        ),
        (
            "train --data nowhere/",
            "there is no nowhere/; give the path of a folder of image files or of a file, or one of the names digits, .*",
        ),
        ("train spiral-celeba", "there is no celeba/; give the path of a folder of image files or of a file, or .*"),
        ("train --data empty", "no image files in empty; accepted are .png, .*"),
        ("train --set learner.entrpy=1", "unknown setting 'learner.entrpy'; .* Did you mean 'learner.entropy'?"),
        ("train --set seed=x", "setting seed must be a whole number, got 'x'"),
        ("train --set learner", "cannot read the setting 'learner'; write key=value, such as learner.entropy=0.05"),
        ("train --minutes 0", "setting minutes must be from 0.01 to 1e+06, got 0.0"),
        ("train --env-steps 0", "setting env_steps must be from 1 to 1e+15, got 0"),
        ("train --set minutes=none", "a run needs an end: set env_steps, minutes or cpu_seconds"),
        ("train --set env.width=8", "width must be a whole number from 16 to 1024, got 8"),
        ("train --set objective.name=wasser", "unknown objective 'wasser'; .* Did you mean 'wasserstein'?"),
        (
            "train --set painter.network=spiral --set env.grid=20",
            "the spiral network's location heads need a grid of 4, 8, 16, 32 or 64, got 20",
        ),
        (
            "train --out run",
            "there is a run in run already; go on with it by --resume, or give another folder by --out",
        ),
        ("train --out file", "cannot write file: file is no folder you may write to; choose one by --out"),
        ("train --out file/run", "cannot write file/run: .*/file is no folder you may write to; choose one by --out"),
        ("train --resume", "there is no run in runs/digits (no config.json); start one without --resume"),
        ("train debug --resume", "--resume takes the settings of the run, not of preset 'debug'; leave the preset out"),
        ("train --address 127.0.0.1:1", "nobody answers at 127.0.0.1:1 (.*); start a cluster there, or leave --.*"),
        (
            "paint nothing",
            "there is no painter at nothing; give a run's folder, a checkpoint's folder, a painter.npz, or the name .*",
        ),
        ("paint empty", "there is no painter at empty; give a run's folder, .*"),
        ("paint run", "the run in run has no finished checkpoint yet; wait for its first, .*"),
        ("paint file", "file is not a painter file (.npz); .*"),
        ("paint run -n 0", "-n must be a whole number from 1 to 10000, got 0"),
        ("paint run --seed -1", "--seed must be a whole number from 0 to 4294967295, got -1"),
        ("paint run -o file", "cannot write paintings to file: it is a file; give a folder"),
        ("evaluate nothing", "there is no painter at nothing; .*"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(here, command, message):
    result = CliRunner().invoke(main, command.split())
    assert (result.exit_code, result.stdout) == (2, "")
    pattern = re.escape(f"Error: {message}\n").replace(r"\.\*", ".*")
    assert re.fullmatch(pattern, result.stderr), result.stderr
