"""``spiral bench`` as a user runs it, its parts that need no Ray; and that what is compared does the same work."""

from __future__ import annotations

import json
import re
import statistics
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.learner.training_data import TrainingData

from spiral import config
from spiral.agents.algorithm import SpiralConfig
from spiral.agents.rollout import paint_rollout
from spiral.bench.bare_loop import BareLoop
from spiral.bench.contestant import Contestant
from spiral.bench.env import draw_alone
from spiral.bench.measure import Contest, Figure, Measured, Options, Round, interleaved, ratio
from spiral.bench.render import bare_loop, even_strokes, piece_by_piece, tapered_strokes
from spiral.bench.suite import PARTS
from spiral.canvas import CanvasSpec
from spiral.cli import main
from spiral.envs.vector import PaintVectorEnv
from spiral.errors import SpiralError
from spiral.renderers.cairo import CairoCanvas

LIGHT = ("render", "env", "rollout", "learner", "discriminator")


def bench(*arguments):
    return CliRunner().invoke(main, ["bench", *map(str, arguments)])


@pytest.fixture(scope="module")
def small():
    """Options for a run so small that it takes no time."""
    sizes = ["num_envs=8", "env.episode_length=3", "env.grid=4", "env.width=16", "env.height=16", "learner.minibatch=4"]
    networks = [
        "painter.hidden=16",
        "painter.channels=[4,4]",
        "discriminator.channels=[4]",
        "discriminator.batch_size=4",
    ]
    return [f"--set={setting}" for setting in (*sizes, *networks)]


@pytest.fixture(scope="module")
def measured(small, tmp_path_factory):
    """What the light parts print, and their file."""
    file = tmp_path_factory.mktemp("bench") / "speed.json"
    result = bench(*LIGHT, "--quick", "--json", file, *small)
    assert result.exit_code == 0, result.output
    return result.stdout, json.loads(file.read_text())


def test_every_part_is_a_table(measured):
    said, _ = measured
    for part in LIGHT:
        assert f"\n{part}: {PARTS[part]}\n" in f"\n{said}"
    assert re.search(r"^ +strokes/CPU s +strokes/s +CPU ms/1,000 strokes +spread$", said, re.MULTILINE)
    assert re.search(r"^  32 px, constant  canvas +[\d,]+ +[\d,]+ +[\d.]+ +±\d+%$", said, re.MULTILINE)
    assert re.search(
        r"^  32 px, constant  CPU of the canvas / .* \d\.\d\d x +±\d+% +at most 1.25  (not )?reached$",
        said,
        re.MULTILINE,
    )
    assert re.search(r"^ +\d+%  0:\d\d gone, .* left  32 px, constant: canvas$", said, re.MULTILINE)


def test_the_columns_are_aligned(measured):
    said, _ = measured
    lines = said[said.index("render:") :].splitlines()
    header, *rows = lines[1:6]
    for title in ("strokes/CPU s", "CPU ms/1,000 strokes", "spread"):
        end = header.index(title) + len(title)
        for row in rows[:4]:
            assert row[end - 1] != " " and row[end : end + 1] in ("", " ")


def test_the_file_holds_every_round_and_with_what_it_was_measured(measured):
    _, document = measured
    assert (document["format"], document["version"]) == ("spiral-bench", 1)
    assert document["machine"]["cores"] >= 1 and document["machine"]["processor"]
    assert {"python", "cairo", "torch", "ray", "pycairo", "numpy", "gymnasium"} <= set(document["versions"])
    assert document["options"]["rounds"] == 2 and document["options"]["quick"]
    assert document["options"]["run"]["num_envs"] == 8
    assert list(document["parts"]) == list(LIGHT)
    for part in document["parts"].values():
        for row in part["measured"]:
            assert len(row["rounds"]) == 2
            assert all(each[key] > 0 for each in row["rounds"] for key in ("units", "wall_seconds", "cpu_seconds"))
            costs = [1e6 * each["cpu_seconds"] / each["units"] for each in row["rounds"]]
            assert row["cpu_ms_per_1000"] == pytest.approx(statistics.median(costs))
            assert row["per_cpu_second"] == pytest.approx(
                statistics.median(each["units"] / each["cpu_seconds"] for each in row["rounds"])
            )


def test_environments_are_compared_at_each_number_of_canvases(measured):
    _, document = measured
    rows = document["parts"]["env"]["measured"]
    assert [(row["case"], row["variant"]) for row in rows] == [
        ("1 canvas", "PaintVectorEnv"),
        ("1 canvas", "its rendering alone"),
        ("1 canvas", "SyncVectorEnv"),
        ("1 canvas", "spiral/Paint-v0"),
        ("16 canvases", "PaintVectorEnv"),
        ("16 canvases", "its rendering alone"),
        ("16 canvases", "SyncVectorEnv"),
    ]
    assert {figure["at_most"] for figure in document["parts"]["env"]["figures"]} == {1.15, None}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("rendr", "unknown part 'rendr'; known: render, env, .* Did you mean 'render'?"),
        ("render --preset digit", "unknown preset 'digit'; known: .* Did you mean 'digits'?"),
        ("render --set env.width=x", "setting env.width must be a whole number, got 'x'"),
        ("render --rounds 0", "--rounds must be a whole number from 1 to 1000, got 0"),
        ("render --seconds 0", "--seconds must be a number from 0.001 to 600, got 0.0"),
        ("train --steps 0", "--steps must be a whole number from 1 to 1000000000, got 0"),
        (
            "train --preset spiral-mnist",
            "the bare loop that training is compared with has no lstm and knows the reward 'final' only, got .*; change .*",
        ),
        (
            "rollout --preset digits-target",
            "painters that are asked for something are not measured yet, got env.target=true and env.classes=0; set .*",
        ),
        ("render --json .", "cannot write .: it is a folder; give a file name"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = bench(*arguments.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(re.escape(f"Error: {message}\n").replace(r"\.\*", ".*"), result.stderr), result.stderr
    assert not list(tmp_path.iterdir())


def test_what_has_no_bare_loop_of_training_is_measured_with_every_preset():
    result = bench("render", "--preset", "spiral-mnist", "--quick", "--rounds", 1, "--seconds", 0.001)
    assert result.exit_code == 0 and "32 px, tapered" in result.stdout, result.output


def test_variants_take_turns():
    calls = []

    def work(name):
        calls.append(name)
        return 7

    options = Options(config.preset("digits"), rounds=3, seconds=1e-9, steps=1)
    contest = Contest("case", "steps", {name: lambda name=name: work(name) for name in "ABC"})
    watched = []
    measured = interleaved(contest, options, lambda seconds, what: watched.append(what))
    assert calls == [*"ABC", *"ABC" * 3]  # the first of each is not counted
    assert watched == [f"case: {name}" for name in "ABC" * 3]
    assert [each.variant for each in measured] == [*"ABC"]
    assert all(one.units == 7 for each in measured for one in each.rounds)


def test_ratios_are_of_rounds_and_their_median_counts():
    slow = Measured("case", "slow", "steps", [Round(10, 1.0, 2.0), Round(10, 1.0, 9.0), Round(20, 1.0, 12.0)])
    quick = Measured("case", "quick", "steps", [Round(10, 1.0, 1.0), Round(10, 1.0, 3.0), Round(10, 1.0, 1.0)])
    figure = ratio("slow / quick", slow, quick, at_most=3.0)
    assert (figure.value, figure.reached) == (3.0, True)  # of 2, 3 and 6
    assert figure.spread == pytest.approx(2 / 3)
    assert (slow.per_cpu_second, slow.cpu_ms) == (pytest.approx(20 / 12), pytest.approx(600_000))


@pytest.mark.parametrize(("aim", "reached"), [({"at_least": 2.0}, True), ({"at_least": 2.1}, False), ({}, None)])
def test_an_aim_may_be_a_least(aim, reached):
    assert Figure("case", "name", 2.0, **aim).reached is reached


@pytest.mark.parametrize("make", [even_strokes, tapered_strokes])
def test_the_bare_pycairo_loop_draws_the_same_pixels(make):
    ours, bare = (CairoCanvas(CanvasSpec(48, 48, 1)) for _ in range(2))
    curves = make(config.preset("digits").env)
    draw = bare_loop(bare, curves)
    for canvas in (ours, bare):
        canvas.clear()
    for curve in curves:
        ours.draw_curve(*curve)
    assert draw() == len(curves)
    assert np.array_equal(bare.memory, ours.memory) and (ours.memory[..., 0] < 255).any()


def test_piece_by_piece_draws_nearly_the_same_pixels():
    ours, pieces = (CairoCanvas(CanvasSpec(64, 64, 1)) for _ in range(2))
    curves = tapered_strokes(config.preset("digits").env)[:3]
    for curve in curves:
        ours.draw_curve(*curve)
    assert piece_by_piece(pieces, curves)() == 3
    assert np.abs(pieces.pixels().astype(int) - ours.pixels()).mean() < 2 < (255 - ours.pixels()).mean()


def test_rendering_alone_counts_the_steps_of_the_episodes(tiny_run):
    env = PaintVectorEnv(4, tiny_run.env)
    paint_rollout(env, None, torch.Generator(), seed=0)
    assert draw_alone(env.programs(), tiny_run.env)() == 4 * tiny_run.env.episode_length


def test_the_bare_loop_learns_what_the_learner_learns(tiny_run):
    settings = [
        "discriminator.updates=0",
        "learner.final_learning_rate=1",
        "learner.final_entropy=1",
        "learner.average=0.5",
    ]
    run = config.override(tiny_run, settings)
    bare = BareLoop(run)
    spaces = {DEFAULT_MODULE_ID: (bare.env.single_observation_space, bare.env.single_action_space)}
    learner = SpiralConfig.from_run(run).build_learner(spaces=spaces)
    painter = learner.module[DEFAULT_MODULE_ID].unwrapped().painter
    bare.painter.load_state_dict(painter.state_dict())
    bare.average = {name: value.clone() for name, value in painter.state_dict().items()}
    bare.discriminator.load_state_dict(learner._scorer._discriminator.state_dict())

    batch, finals = bare.paint()
    env = PaintVectorEnv(run.num_envs, run.env)
    rollout = paint_rollout(env, painter, torch.Generator().manual_seed(run.seed), seed=0)
    assert np.array_equal(rollout.finals, finals) and np.array_equal(rollout.actions, batch.actions)

    learner.update(training_data=TrainingData(episodes=[rollout]), timesteps={})
    bare.train_painter(batch, bare.rewards(finals, gap=0.0))
    for name, value in painter.state_dict().items():
        torch.testing.assert_close(bare.painter.state_dict()[name], value, msg=name)
    for name, value in learner.average_weights().items():
        torch.testing.assert_close(bare.average[name], torch.as_tensor(value), msg=name)


def test_the_bare_loop_trains_both(tiny_run):
    bare = BareLoop(tiny_run)
    before = [value.clone() for value in (*bare.painter.parameters(), *bare.discriminator.parameters())]
    assert bare() == tiny_run.num_envs * tiny_run.env.episode_length
    after = [*bare.painter.parameters(), *bare.discriminator.parameters()]
    assert all(not torch.equal(*pair) for pair in zip(before, after, strict=True))


def test_a_contestant_trains_in_a_process_of_its_own(tiny_run):
    with Contestant("bare", tiny_run) as contestant:
        each, by_role = contestant.train(50)
        (process,) = contestant.memory()
    assert each.units == 72 and each.wall_seconds > 0  # whole rollouts of 24 steps
    assert sum(by_role.values()) == pytest.approx(each.cpu_seconds) and by_role["runner"] == 0
    assert (process.role, process.name) == ("main", "main") and process.memory_mb > 50 and process.store_mb == 0


def test_what_a_contestant_dies_of_is_said(tiny_run):
    run = config.override(tiny_run, ["data=nowhere"])
    with (
        Contestant("bare", run) as contestant,
        pytest.raises(SpiralError, match=r"^bare failed: .*unknown dataset 'nowhere'"),
    ):
        contestant.train(1)


@pytest.mark.slow
def test_training_beside_a_bare_loop_and_stock_rllib(small, tmp_path):
    result = bench("train", "scale", "--quick", "--json", tmp_path / "speed.json", *small)
    assert result.exit_code == 0, result.output
    parts = json.loads((tmp_path / "speed.json").read_text())["parts"]
    variants = [row["variant"] for row in parts["train"]["measured"]]
    assert variants == ["spiral train", "bare loop", "stock RLlib", "without its discriminator"]
    figures = {(figure["case"], figure["name"]): figure["value"] for figure in parts["train"]["figures"]}
    for process in ("main", "runner", "discriminator"):
        assert figures["training", f"CPU of the {process} process"] > 0
        assert figures["training", f"memory of the {process} process"] > 50
    everything = figures["training", "memory of all processes"]
    assert everything > figures["bare loop", "memory of all processes"] > 50
    (row,) = parts["scale"]["measured"]
    assert row["case"] == "2 runners, 16 px"
    names = [figure["name"] for figure in parts["scale"]["figures"]]
    assert names.count("memory of the runner process") == 2


def test_the_script_is_the_command():
    script = Path(__file__).parents[3] / "scripts" / "bench"
    assert script.stat().st_mode & 0o111
    assert 'spiral" bench "$@"' in script.read_text()
