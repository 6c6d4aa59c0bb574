from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from quota import file_sizes_up_to

from spiral import config
from spiral.checksums import SUMS_FILE
from spiral.errors import InputError, WriteError
from spiral.run_folder import CHECKPOINT_FILES, PAINTER_FILE, STATE_FILE, RunFolder, find_painter, run_from_options


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


def written(folder, env_steps, content="weights"):
    with folder.new_checkpoint(env_steps) as beside:
        for name in CHECKPOINT_FILES:
            (beside / name).write_text(content)


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
    with pytest.raises(RuntimeError, match="half-way"), folder.new_checkpoint(2):
        raise RuntimeError("half-way")
    assert names(folder) == ["000000000001"]


@pytest.mark.faults("a checkpoint that cannot be written")
def test_a_checkpoint_that_cannot_be_written_leaves_the_ones_before_it(folder):
    written(folder, 1)
    with (
        pytest.raises(WriteError, match=r"^cannot write .*/checkpoints/000000000002: File too large$"),
        folder.new_checkpoint(2) as beside,
        file_sizes_up_to(1000),
    ):
        (beside / STATE_FILE).write_bytes(bytes(1001))
    assert names(folder) == ["000000000001"]
    assert folder.checkpoint_to_go_on_from() == folder.checkpoints / "000000000001"


@pytest.mark.faults("a half-written checkpoint of a run that was killed")
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
    assert folder.checkpoint_to_go_on_from() is None


def test_a_run_goes_on_from_its_newest_checkpoint(folder):
    written(folder, 1)
    written(folder, 2)
    assert folder.checkpoint_to_go_on_from() == folder.checkpoints / "000000000002"


def cut(file):
    file.write_bytes(file.read_bytes()[:-2])


def flip_a_bit(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 16
    file.write_bytes(content)


@pytest.mark.faults("a checkpoint cut short, a bit flipped, a file gone: each of its files")
@pytest.mark.parametrize("name", [*CHECKPOINT_FILES, SUMS_FILE])
@pytest.mark.parametrize("damage", [cut, flip_a_bit, Path.unlink])
def test_damage_to_the_newest_checkpoint_is_named_and_the_one_before_it_offered(folder, name, damage):
    written(folder, 1)
    written(folder, 2)
    damage(folder.checkpoints / "000000000002" / name)
    named = f"({'|'.join(CHECKPOINT_FILES)}|{SUMS_FILE})" if name == SUMS_FILE else name
    one, two = (folder.checkpoints / f"{number:012d}" for number in (1, 2))
    with pytest.raises(
        InputError,
        match=rf"^{two} is damaged: {named} is not as it was written, or is missing; {one} is whole: to go on from "
        rf"there, move {two.name} out of {folder.checkpoints} and give the same command again$",
    ):
        folder.checkpoint_to_go_on_from()
    assert names(folder) == [one.name, two.name]
    two.rename(folder.path / "put aside")
    assert folder.checkpoint_to_go_on_from() == one


@pytest.mark.faults("two damaged checkpoints")
def test_two_damaged_checkpoints(folder):
    for number in (1, 2, 3):
        written(folder, number)
    for number in (2, 3):
        flip_a_bit(folder.checkpoints / f"{number:012d}" / STATE_FILE)
    with pytest.raises(
        InputError, match=r"000000000001 is whole: to go on from there, move 000000000003 and 000000000002 out of "
    ):
        folder.checkpoint_to_go_on_from()


@pytest.mark.faults("every checkpoint is damaged")
def test_no_checkpoint_is_whole(folder):
    written(folder, 1)
    cut(folder.checkpoints / "000000000001" / STATE_FILE)
    with pytest.raises(InputError, match=r"no older checkpoint is whole; begin a new run in another folder \(--out\)$"):
        folder.checkpoint_to_go_on_from()


def test_a_checkpoint_of_an_earlier_version(folder):
    written(folder, 1)
    old = folder.checkpoints / "000000000002"
    (old / "algorithm").mkdir(parents=True)
    with pytest.raises(
        InputError,
        match=rf"^{old} was written by an earlier version of this program, in a form that could run code when it is "
        r"read; begin a new run in another folder \(--out\). The painter in it can still paint$",
    ):
        folder.checkpoint_to_go_on_from()


def test_settings_survive_the_folder(folder, tiny_run):
    folder.write_config(tiny_run)
    assert folder.read_config() == tiny_run


def test_a_folder_with_a_run_is_not_free(folder, tiny_run):
    folder.check_free()
    folder.write_config(tiny_run)
    with pytest.raises(InputError, match="there is a run in .*run already; go on with it by --resume, or give another"):
        folder.check_free()


@pytest.mark.parametrize("name", ["sheet.png", "programs"])
def test_a_folder_with_what_a_run_would_replace_is_not_free(folder, name):
    (folder.path / name).mkdir(parents=True)
    with pytest.raises(
        InputError, match=f"run holds no run but {name}, which a run would replace; give another folder"
    ):
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


@pytest.mark.faults("a line of metrics cut short")
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
