"""scripts/scaling on what spiral bench wrote, and its bytes on what is sent."""

import json
import pickle
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from spiral.agents.painter import Painter
from spiral.agents.rollout import paint_rollout
from spiral.config import preset
from spiral.envs.vector import PaintVectorEnv

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "scripts" / "scaling"
FILES = [ROOT / "scripts" / "results" / f"speed-{name}.json" for name in ("scale", "parts")]
GBIT10 = 1.25e9  # bytes a second


@pytest.fixture(scope="module")
def scaling():
    return runpy.run_path(str(SCRIPT))


@pytest.fixture(scope="module")
def document(scaling):
    return scaling["merged"](FILES)


@pytest.fixture
def costs(scaling):
    """Of round numbers: 1,000 steps a second for each runner, 2,000 for the learner, 10,000 for the discriminator."""
    return scaling["Costs"](1e-3, 4e-4, 1e-4, 1e-4, 0.0, 1250.0, 100.0)


def scaling_process(*arguments):
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False)


def test_the_model_says_what_was_measured(scaling, document):
    rows = scaling["checked"](document)
    assert len(rows) == 5
    for _, measured, _, modelled in rows:
        assert modelled == pytest.approx(measured, rel=0.12)
    assert [what for *_, what, _ in rows] == 3 * ["cores"] + 2 * ["discriminator"]


def test_cpu_of_the_parts_is_that_of_the_whole(scaling, document):
    [whole] = [row for row in document["parts"]["scale"]["measured"] if row["case"] == "1 runner, 64 px"]
    assert scaling["measured_costs"](document, 64).cpu == pytest.approx(whole["cpu_ms_per_1000"] / 1e6, rel=0.001)


def test_more_runners_help_until_the_slowest_is_saturated(scaling, costs):
    limits = scaling["on_a_cluster"](costs, 1.0, GBIT10)
    assert limits == pytest.approx({"main process": 2000.0, "discriminator": 10_000.0, "network": 1e6})
    paces = [scaling["pace"](costs, runners, limits) for runners in (1, 3, 1000)]
    assert [what for what, _ in paces] == ["runners", "main process", "main process"]
    assert [steps for _, steps in paces] == pytest.approx([1000.0, 2000.0, 2000.0])
    assert [scaling["saturating"](costs, limit) for limit in (1500.0, 2500.0)] == [2, 3]


def test_a_gpu_leaves_the_work_of_rllib_as_it_is(scaling, costs):
    limits = scaling["on_a_cluster"](costs, 4.0, GBIT10)
    assert limits == pytest.approx({"main process": 5000.0, "discriminator": 40_000.0, "network": 1e6})


def test_one_machine_has_so_many_cores(scaling, costs):
    assert scaling["on_a_machine"](costs, 2)["cores"] == pytest.approx(2 / 1.6e-3)


def test_bytes_are_those_that_are_sent(scaling):
    run = preset("digits")
    received, sent = scaling["bytes_a_step"](run)
    rollout = paint_rollout(PaintVectorEnv(64, run.env), None, torch.Generator(), seed=0)
    assert len(pickle.dumps(rollout, 5)) / len(rollout) == pytest.approx(received, rel=0.003)
    weights = pickle.dumps(
        {name: value.numpy() for name, value in Painter(run.painter, run.env).state_dict().items()}, 5
    )
    assert len(weights) / (run.num_envs * run.env.episode_length) == pytest.approx(sent, rel=0.003)


def test_it_prints_where_each_is_saturated():
    done = scaling_process(*map(str, FILES), "--size", "64", "--speedup", "10", "--gbit", "1")
    assert done.returncode == 0, done.stderr
    assert "1 runner, 32 px     11,736 steps/s    12,126 by cores, +3%" in done.stdout
    assert "Bytes a step: 4,863 to the learner" in done.stdout  # canvases of 64 x 64
    assert "10 times as quick, 1 Gbit/s\n    network           25,703 steps/s, by 2 runners\n" in done.stdout


@pytest.mark.parametrize(
    "content, error",
    [
        ({"parts": {"scale": {}}}, "no part learner in these files; measure: spiral bench learner scale\n"),
        ({}, "no part learner and scale in these files; measure: spiral bench learner scale\n"),
    ],
)
def test_a_file_without_its_parts_is_refused(content, error, tmp_path):
    other = tmp_path / "other.json"
    other.write_text(json.dumps(content))
    done = scaling_process(str(other))
    assert (done.returncode, done.stderr) == (1, error)


def test_a_size_that_was_not_measured_is_refused(scaling, document):
    with pytest.raises(SystemExit, match="^1 runner, 256 px was not measured in these files, only 1 runner, 32 px, 2 "):
        scaling["measured_costs"](document, 256)
