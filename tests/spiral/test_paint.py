from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from spiral import config
from spiral.agents.painter import Painter
from spiral.agents.painter_file import load_painter, publish, save_painter
from spiral.cli import main
from spiral.commission import Options
from spiral.datasets import load_pictures
from spiral.errors import InputError
from spiral.paint import paint, rollouts
from spiral.paint_folder import paint_to_folder
from spiral.painters import painter_names, painter_path
from spiral.pictures import save_png
from spiral.program import Program, matches_checksum
from spiral.run_folder import find_painter


def paint_by_command(painter_file, folder, *arguments):
    result = CliRunner().invoke(main, ["paint", str(painter_file), "-o", str(folder), *map(str, arguments)])
    assert (result.exit_code, result.stderr) == (0, "")
    return {path.name: path.read_bytes() for path in folder.glob("*.json")}, result.stdout


def test_a_seed_gives_the_same_bytes_however_many_are_painted(painter_file, tmp_path):
    five, said = paint_by_command(painter_file, tmp_path / "a", "-n", 5, "--seed", 1)
    again, _ = paint_by_command(painter_file, tmp_path / "b", "-n", 5, "--seed", 1)
    ten, _ = paint_by_command(painter_file, tmp_path / "c", "-n", 10, "--seed", 1)
    others, _ = paint_by_command(painter_file, tmp_path / "d", "-n", 5, "--seed", 2)
    assert sorted(five) == [f"00{i}.json" for i in range(5)]
    assert said.startswith(f"{tmp_path / 'a'}: 5 programs and sheet.png")
    assert five == again == {name: ten[name] for name in five}
    assert five != others
    assert len(set(five.values())) > 1


def test_the_programs_replay_to_their_checksum(painter_file, tmp_path):
    names, _ = paint_by_command(painter_file, tmp_path, "-n", 3)
    programs = [Program.load(tmp_path / name) for name in names]
    assert all(matches_checksum(program) for program in programs)
    assert {program.origin for program in programs} == {f"{painter_file.parent.name}, 240 steps"}
    assert (tmp_path / "sheet.png").stat().st_size > 0


def test_greedy_paintings_of_one_noise_are_alike(painter_file, tiny_run):
    trained = load_painter(painter_file)
    run = config.override(tiny_run, ["env.noise_size=0"])
    plain = Painter(run.painter, run.env).eval()
    assert len({canvas.tobytes() for canvas in paint(plain, run.env, 4, greedy=True).canvases}) == 1
    assert len({canvas.tobytes() for canvas in paint(trained.painter, tiny_run.env, 20).canvases}) > 1


def test_more_paintings_than_are_painted_side_by_side(painter_file, tiny_run):
    trained = load_painter(painter_file)
    many = paint(trained.painter, tiny_run.env, 150, seed=4)
    assert len(many.programs) == len(many.canvases) == 150
    np.testing.assert_array_equal(many.canvases[:7], paint(trained.painter, tiny_run.env, 7, seed=4).canvases)
    assert not np.array_equal(many.canvases[100:], many.canvases[:50])  # the second hundred are not the first again


@pytest.mark.parametrize(
    "changes, greedy, expected",
    [
        ({}, True, 250),
        ({}, False, 100),
        ({"noise_size": 4}, True, 100),
        ({"width": 64}, True, 128),
        ({"width": 64, "channels": 3}, True, 100),
        ({"width": 1024, "height": 1024, "episode_length": 20}, True, 12),
    ],
)
def test_how_many_are_painted_side_by_side(changes, greedy, expected):
    env = config.EnvConfig(**{"width": 32, "height": 32, "noise_size": 0} | changes)
    rollout, programs = next(rollouts(Painter(config.PainterConfig(hidden=16), env), env, 1, greedy=greedy))
    assert len(rollout.finals) == len(programs) == expected
    assert len(next(rollouts(None, env, 1, greedy=greedy))[0].finals) == min(expected, 100)  # it draws all at random


def test_fewer_are_painted_side_by_side_where_their_steps_would_fill_the_memory(painter_file, tiny_run, monkeypatch):
    trained = load_painter(painter_file)
    monkeypatch.setattr("spiral.paint.STEP_BYTES", 4 * 3 * 16 * 16)
    parts = [len(rollout.finals) for rollout, _ in rollouts(trained.painter, tiny_run.env, 10)]
    assert parts == [4, 4, 4]
    ten, seven = (paint(trained.painter, tiny_run.env, count).canvases for count in (10, 7))
    np.testing.assert_array_equal(ten[:7], seven)
    monkeypatch.setattr("spiral.paint.STEP_BYTES", 1)
    assert len(paint(trained.painter, tiny_run.env, 2).canvases) == 2


def test_painting_needs_no_ray(painter_file, tmp_path):
    code = f"""
import sys
from spiral.paint_folder import paint_to_folder
paint_to_folder({str(painter_file)!r}, {str(tmp_path)!r})
assert not [name for name in sys.modules if name.partition(".")[0] == "ray"]
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_painter_file_is_never_unpickled(tmp_path, tiny_run):
    class Attack:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    path = tmp_path / "painter.npz"
    np.savez(path, header=np.array([Attack()], dtype=object))
    with pytest.raises(
        InputError, match=r"cannot read the painter file .*: it is damaged \(Object arrays cannot be lo"
    ):
        load_painter(path)


def test_a_painter_file_that_was_cut_short(painter_file, tmp_path):
    path = tmp_path / "painter.npz"
    whole = painter_file.read_bytes()
    for kept in (0, 10, len(whole) // 2, len(whole) - 10):
        path.write_bytes(whole[:kept])
        said = (
            "cannot read the painter file .*: it is damaged .*; use another checkpoint" if kept else "is not a painter"
        )
        with pytest.raises(InputError, match=said):
            load_painter(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "is not a painter file"),
        ({"version": 2}, "has painter format version 2; this program reads 1: update it"),
        ({"run": {"nonsense": 1}}, "unknown setting 'nonsense'"),
        ({"run": {}}, "it is damaged"),
    ],
)
def test_a_foreign_painter_file(painter_file, tmp_path, change, message):
    with np.load(painter_file) as arrays:
        contents = dict(arrays)
    contents["header"] = np.array(json.dumps(json.loads(str(contents["header"])) | change))
    path = tmp_path / "painter.npz"
    np.savez(path, **contents)
    with pytest.raises(InputError, match=message):
        load_painter(path)


@pytest.mark.parametrize("name", painter_names())
def test_a_painter_that_comes_with_the_package_paints_by_its_name(name, tmp_path):
    trained = load_painter(painter_path(name))
    targets = []
    if trained.run.env.target:
        digit = load_pictures("digits", "test", **trained.run.env.picture).images[250]
        save_png(digit, tmp_path / "digit.png")
        targets = [str(tmp_path / "digit.png")]
    painted = paint_to_folder(name, tmp_path / "out", Options(targets=targets, count=3))
    assert painted.text.splitlines()[-1] == f"{tmp_path / 'out'}: 3 programs and sheet.png"
    assert trained.run.env == config.preset(name).env and trained.env_steps > 1_000_000
    assert painter_path(name).stat().st_size < 2**20


def test_a_file_of_that_name_comes_before_the_painter(painter_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = painter_names()[0]
    (tmp_path / name).write_bytes(painter_file.read_bytes())
    assert find_painter(name) == Path(name)


def test_a_published_painter_is_half_the_size_and_paints_alike(painter_file, tmp_path):
    said = publish(painter_file, tmp_path / "mine.npz")
    assert re.fullmatch(rf"{tmp_path}/mine.npz: \d+ kB, 240 steps of digits", said)
    assert (tmp_path / "mine.npz").stat().st_size < 0.7 * painter_file.stat().st_size
    whole, half = load_painter(painter_file), load_painter(tmp_path / "mine.npz")
    assert half.run == whole.run and half.env_steps == whole.env_steps
    for name, value in whole.painter.state_dict().items():
        assert torch.allclose(half.painter.state_dict()[name], value, atol=1e-3, rtol=1e-3)
    (first, *_), (second, *_) = (paint(trained.painter, trained.run.env, 1) for trained in (whole, half))
    assert len(first[0].strokes) == len(second[0].strokes)


def test_a_published_painter_names_no_folder_of_the_machine_it_was_trained_on(painter_file, tmp_path):
    painter, run, env_steps = load_painter(painter_file)
    weights = {name: value.numpy() for name, value in painter.state_dict().items()}
    save_painter(tmp_path / "own.npz", weights, dataclasses.replace(run, data="/home/me/photos:patches"), env_steps)
    assert publish(tmp_path / "own.npz", tmp_path / "public.npz").endswith(" steps of photos:patches")
    assert load_painter(tmp_path / "public.npz").run == dataclasses.replace(run, data="photos:patches")


def test_a_published_painter_is_an_npz_file(painter_file, tmp_path):
    with pytest.raises(InputError, match="cannot write .*mine.painter: a painter file is an .npz file"):
        publish(painter_file, tmp_path / "mine.painter")
    assert not list(tmp_path.iterdir())


def test_a_program_is_no_painter(tmp_path):
    (tmp_path / "000.json").write_text("{}")
    with pytest.raises(
        InputError, match=r"000.json is not a painter file \(.npz\); spiral train and spiral publish write"
    ):
        load_painter(tmp_path / "000.json")


def test_older_programs_in_the_folder_are_told(painter_file, tmp_path):
    told = [paint_to_folder(painter_file, tmp_path, Options(count=count)).text.split("; ") for count in (3, 1)]
    assert told[0][0] == f"{tmp_path}: 3 programs and sheet.png"
    assert told[1][0] == f"{tmp_path}: 1 program and sheet.png"
    assert told[1][-2:] == ["1 program of these names replaced", "2 other programs left there from before"]


def test_settings_of_a_newer_version_are_said_to_be(painter_file, tmp_path):
    with np.load(painter_file) as arrays:
        content = dict(arrays)
    header = json.loads(str(content["header"]))
    header["run"]["learner"]["charm"] = 1.0
    np.savez(tmp_path / "newer.npz", **content | {"header": np.array(json.dumps(header))})
    with pytest.raises(InputError) as caught:
        load_painter(tmp_path / "newer.npz")
    assert re.fullmatch(
        rf"the painter file {tmp_path / 'newer.npz'} has settings that are unknown here \(.*learner\.charm.*\); was it made "
        "by a newer version of this program\\? Update it",
        str(caught.value),
    )


def test_an_empty_file_and_other_arrays_are_no_painters(tmp_path):
    (tmp_path / "empty.npz").touch()
    np.savez(tmp_path / "pictures.npz", images=np.zeros((2, 16, 16), np.uint8))
    for name in ("empty", "pictures"):
        with pytest.raises(
            InputError, match=rf"{name}\.npz is not a painter file \(.npz\); spiral train and spiral publish"
        ):
            load_painter(tmp_path / f"{name}.npz")
