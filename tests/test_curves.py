"""scripts/curves on rows and figures as spiral train and spiral evaluate write them."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("matplotlib")
SCRIPT = Path(__file__).parent.parent / "scripts" / "curves"
ROWS = [
    {"env_steps": 1e6, "cpu_seconds": 100.0, "policy_loss": 0.3},
    {"env_steps": 1e6, "cpu_seconds": 110.0, "squared_error": 0.08, "frechet_ratio": 0.9},
    {"env_steps": 2e6, "cpu_seconds": 210.0, "squared_error": 0.05, "frechet_ratio": 0.5},
]
COMPARED = {
    "painter": {"squared_error": 0.05, "accuracy": 0.8, "squared_errors": [0.09, 0.07, 0.05]},
    "search 100": {"squared_error": 0.06, "squared_errors": [0.08, 0.07, 0.06]},
    "random": {"squared_error": 0.15, "accuracy": 0.1, "squared_errors": [0.1, 0.12, 0.15]},
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (tmp_path / "kept.jsonl").write_text(json.dumps(ROWS[2]) + "\n")
    (tmp_path / "beside.json").write_text(json.dumps({"squared_error": 0.05, "reconstruction": COMPARED}))
    (tmp_path / "other.json").write_text(json.dumps({"frechet_ratio": 0.5}))
    return tmp_path


def curves(folder, *arguments):
    call = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)


def lines(axes):
    """Label to the points of each line."""
    return {line.get_label(): [tuple(map(float, point)) for point in line.get_xydata()] for line in axes.lines}


def test_curves_of_runs_and_level_lines_of_others(folder):
    script = runpy.run_path(str(SCRIPT))
    beside = script["reconstruction"](folder / "beside.json")
    figure = script["draw"]([folder / "run", folder / "kept.jsonl"], "squared_error", beside)
    by_steps, by_cpu, by_actions = map(lines, figure.axes)
    assert by_steps["run"] == [(1, 0.08), (2, 0.05)] and by_steps["kept"] == [(2, 0.05)]
    assert by_cpu["run"] == [(110, 0.08), (210, 0.05)]
    for axes in (by_steps, by_cpu):
        assert {who: {y for _, y in axes[who]} for who in ("search 100", "random")} == {
            "search 100": {0.06},
            "random": {0.15},
        }
        assert "painter" not in axes
    assert by_actions == {who: list(enumerate(row["squared_errors"], 1)) for who, row in COMPARED.items()}


def test_only_those_are_drawn_that_have_the_metric(folder):
    (folder / "read.jsonl").write_text(json.dumps(ROWS[1] | {"accuracy": 0.7}) + "\n")
    script = runpy.run_path(str(SCRIPT))
    figure = script["draw"]([folder / "read.jsonl"], "accuracy", COMPARED)
    assert set(lines(figure.axes[1])) == {"read", "random"}


@pytest.mark.parametrize(
    ("arguments", "columns"), [([], 2), (["--metric", "squared_error", "--beside", "beside.json"], 3)]
)
def test_the_picture(folder, arguments, columns):
    done = curves(folder, "run", "kept.jsonl", "-o", "curves.png", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with Image.open(folder / "curves.png") as picture:
        assert picture.size == (605 * columns, 440)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--metric", "accuracy"], "run/metrics.jsonl has no evaluation with accuracy; was it a run of given"),
        (
            ["run", "--beside", "other.json"],
            "other.json is not of a painter of given pictures; write it with: spiral ev",
        ),
    ],
)
def test_what_cannot_be_drawn_is_said(folder, arguments, message):
    done = curves(folder, "-o", "curves.png", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(message) and done.stderr.count("\n") == 1
    assert not (folder / "curves.png").exists()
