from __future__ import annotations

import json
import re

import pytest

from spiral import config
from spiral.errors import InputError
from spiral.run_folder import PAINTER_FILE, RunFolder, find_painter, run_from_options


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


def written(folder, env_steps, content="weights"):
    with folder.new_checkpoint(env_steps) as beside:
        (beside / PAINTER_FILE).write_text(content)


def names(folder):
    return sorted(entry.name for entry in folder.checkpoints.iterdir())


def test_a_checkpoint_has_its_name_only_when_it_is_whole(folder):
    with folder.new_checkpoint(7) as beside:
        assert folder.checkpoint_folders() == []
        (beside / PAINTER_FILE).write_text("weights")
    assert names(folder) == ["000000000007"]
    assert folder.newest_checkpoint() == folder.checkpoints / "000000000007"


def test_a_checkpoint_that_fails_leaves_nothing(folder):
    written(folder, 1)
    with pytest.raises(OSError, match="disk full"), folder.new_checkpoint(2):
        raise OSError("disk full")
    assert names(folder) == ["000000000001"]


def test_what_a_killed_run_left_unfinished_is_ignored_and_then_removed(folder):
    written(folder, 1)
    unfinished = folder.checkpoints / ".unfinished-000000000002"
    unfinished.mkdir()
    (unfinished / PAINTER_FILE).write_text("half")
    assert [entry.name for entry in folder.checkpoint_folders()] == ["000000000001"]
    written(folder, 3)
    assert names(folder) == ["000000000001", "000000000003"]


def test_the_same_step_again_replaces_the_checkpoint(folder):
    written(folder, 1, "before")
    written(folder, 1, "after")
    assert names(folder) == ["000000000001"]
    assert (folder.newest_checkpoint() / PAINTER_FILE).read_text() == "after"


def test_the_three_newest_checkpoints_are_kept(folder):
    for env_steps in (5, 40, 300, 2000):
        written(folder, env_steps)
    assert names(folder) == ["000000000040", "000000000300", "000000002000"]


def test_a_run_without_a_checkpoint_has_no_newest(folder):
    assert folder.newest_checkpoint() is None


def test_settings_survive_the_folder(folder, tiny_run):
    folder.write_config(tiny_run)
    assert folder.read_config() == tiny_run


def test_a_folder_with_a_run_is_not_free(folder, tiny_run):
    folder.check_free()
    folder.write_config(tiny_run)
    with pytest.raises(InputError, match="there is a run in .*run already; go on with it by --resume, or give another"):
        folder.check_free()


def test_a_folder_below_a_file_is_not_free(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for path in (file, file / "run"):
        with pytest.raises(InputError, match=rf"cannot write {path}: {file} is no folder you may write to; choose"):
            RunFolder(path).check_free()


def test_the_settings_of_no_run(folder):
    with pytest.raises(InputError, match=r"there is no run in .*run \(no config.json\); start one without --resume"):
        folder.read_config()


@pytest.mark.parametrize("content", ["{", '{"seed": "three"}', '{"nonsense": 1}'])
def test_damaged_settings(folder, content):
    folder.path.mkdir()
    folder.config_file.write_text(content)
    with pytest.raises(InputError, match=re.escape(str(folder.config_file))):
        folder.read_config()


def test_metrics_without_the_line_a_crash_cut_short(folder):
    assert folder.metrics() == []
    folder.path.mkdir()
    folder.metrics_file.write_text('{"env_steps": 1}\n{"env_steps": 2}\n{"env_st')
    assert folder.metrics() == [{"env_steps": 1}, {"env_steps": 2}]


def test_a_painter_is_found_by_run_checkpoint_or_file(folder, tiny_run):
    folder.write_config(tiny_run)
    written(folder, 1)
    written(folder, 2)
    newest = folder.newest_checkpoint()
    for where in (folder.path, newest, newest / PAINTER_FILE):
        assert find_painter(where) == newest / PAINTER_FILE


def test_no_painter_here(tmp_path):
    with pytest.raises(InputError, match="there is no painter at .*; give a run's folder, a checkpoint's folder, a "):
        find_painter(tmp_path)


def test_no_painter_in_a_run_yet(folder, tiny_run):
    folder.write_config(tiny_run)
    with pytest.raises(InputError, match="no finished checkpoint yet; wait for its first, or go on with it: spiral tr"):
        find_painter(folder.path)


LIMITS = ("minutes", "env_steps", "cpu_seconds")


def options(**given):
    names = ("preset", "out", "data", *LIMITS, "seed")
    return dict.fromkeys(names) | {"resume": False, "settings": []} | given


def test_a_preset_with_what_was_said_on_top():
    run, path = run_from_options(
        **options(preset="debug", data="pictures/", seed=7, settings=["learner.entropy=0.5", "num_envs=3"])
    )
    assert (run.data, run.seed, run.learner.entropy, run.num_envs) == ("pictures/", 7, 0.5, 3)
    assert run.env == config.preset("debug").env
    assert str(path) == "runs/debug"


def test_without_a_preset_it_is_the_digits():
    run, path = run_from_options(**options())
    assert run == config.preset("digits")
    assert str(path) == "runs/digits"


def test_a_budget_that_is_given_replaces_the_presets():
    preset = config.preset("debug")
    assert preset.minutes and preset.env_steps
    for given in ({"minutes": 3.0}, {"env_steps": 500}, {"minutes": 3.0, "env_steps": 500}, {"cpu_seconds": 60.0}):
        run, _ = run_from_options(**options(preset="debug", **given))
        assert {name: getattr(run, name) for name in LIMITS} == dict.fromkeys(LIMITS) | given


def test_resuming_takes_the_runs_own_settings(folder, tiny_run):
    folder.write_config(tiny_run)
    run, path = run_from_options(**options(out=str(folder.path), resume=True, env_steps=999))
    assert run == config.override(tiny_run, ["env_steps=999"])
    assert path == folder.path


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"preset": "debug"}, "--resume takes the settings of the run, not of preset 'debug'; leave the preset out"),
        ({"seed": 3}, "--resume goes on with the run's own seed; leave --seed out"),
    ],
)
def test_what_does_not_go_with_resume(given, message):
    with pytest.raises(InputError, match=message):
        run_from_options(**options(resume=True, **given))


def test_the_settings_file_is_plain_json(folder, tiny_run):
    folder.write_config(tiny_run)
    assert json.loads(folder.config_file.read_text())["env"]["width"] == 16
