"""Runs that paint given pictures and classes, from settings to paintings, in this process."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from spiral import config
from spiral.agents.algorithm import SpiralConfig
from spiral.agents.painter_file import load_painter
from spiral.datasets import load_pictures
from spiral.errors import InputError
from spiral.evaluate import Evaluator, evaluate_file
from spiral.metrics import METRICS, squared_error
from spiral.paint import paint
from spiral.pictures import SHEET_TILE
from spiral.program import matches_checksum
from spiral.report import Report
from spiral.run_folder import RunFolder
from spiral.train import Training, train

HINGE, TARGET, CLASSES = "objective.name=hinge", "env.target=true", "env.classes=10"
KINDS = {
    "pair": [HINGE, TARGET],
    "complement": [HINGE, TARGET, "discriminator.condition=complement", "objective.reward=difference"],
    "l2": ["objective.name=l2", TARGET, "objective.reward=difference"],
    "label": [HINGE, CLASSES],
    "both": ["objective.name=wasserstein", TARGET, CLASSES, "painter.lstm=8"],
    "blind": [HINGE, TARGET, "painter.blind=true"],
}
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Digits in a file, which is quicker to read than all of them are."""
    digits = load_pictures("digits", "test", width=16, height=16, channels=1)
    path = tmp_path_factory.mktemp("data") / "digits.npz"
    np.savez(path, images=digits.images[..., 0], labels=digits.labels)
    return str(path)


@pytest.fixture
def run(tiny_run, data):
    return config.override(tiny_run, [f"data={data}", "env_steps=96"])


def train_here(run, path, checkpoint=None):
    """A whole run on the Ray there is; its folder and what the user saw."""
    folder, screen = RunFolder(path), io.StringIO()
    with (
        Report(Console(file=screen, soft_wrap=True)) as report,
        contextlib.closing(Training(run, folder, report, checkpoint)) as training,
    ):
        training.loop()
    return folder, screen.getvalue()


def asked_for(run, held_out):
    """What a painter of the run has to be given to paint held-out pictures again."""
    given = {"target": held_out.images} if run.env.target else {}
    return given | ({"label": held_out.labels} if run.env.classes else {})


@every_kind
def test_a_run_trains_measures_shows_and_paints_again(on_ray, run, tmp_path, kind):
    run = config.override(run, KINDS[kind])
    folder, said = train_here(run, tmp_path / "run")
    measured = [row for row in folder.metrics() if "frechet_ratio" in row][-1]
    assert set(measured) - {"env_steps"} <= set(METRICS)
    assert ("squared_error" in measured) == ("random_error" in measured) == run.env.target
    assert ("squared error " in said) == run.env.target
    assert "accuracy" in measured and "read as asked " in said  # the data are digits with labels

    held_out = load_pictures(run.data, "test", **run.env.picture)
    with Image.open(folder.path / "sheet.png") as sheet:
        tiles = np.asarray(sheet)[2:, 2:]  # within the first gap
    scale = SHEET_TILE // 16
    first, second = (tiles[: 16 * scale : scale, x : x + 16 * scale : scale] for x in (0, 16 * scale + 2))
    assert np.array_equal(first, held_out.images[0, ..., 0]) == run.env.target, "beside its picture"
    assert not np.array_equal(second, held_out.images[0, ..., 0])

    figures = evaluate_file(str(folder.path))
    for name in {"squared_error", "random_error", "accuracy", "frechet_distance"} & set(measured):
        assert figures[name] == pytest.approx(measured[name], rel=1e-5)
    trained = load_painter(folder.newest_checkpoint() / "painter.npz")
    assert trained.run == run
    shown = np.linspace(0, len(held_out) - 1, 20).astype(int)
    given = {name: values[shown] for name, values in asked_for(run, held_out).items()}
    programs, canvases = paint(trained.painter, run.env, 20, 2**31, greedy=run.env.target, given=given)
    assert all(matches_checksum(program) for program in programs)
    if run.env.target:
        assert squared_error(canvases, held_out.images[shown]) == pytest.approx(measured["squared_error"], rel=1e-5)


def build(run):
    return SpiralConfig.from_run(run).training(iteration_s=0).build_algo()


@every_kind
def test_a_restored_run_goes_on_bit_for_bit(on_ray, run, tmp_path, kind):
    run = config.override(run, KINDS[kind])
    whole, first, second = (build(run) for _ in range(3))
    try:
        rows = [whole.train_metrics() for _ in range(5)]
        for _ in range(2):
            first.train_metrics()
        first.save_to_path(str(tmp_path))
        second.restore_from_path(str(tmp_path))
        rows_after = [second.train_metrics() for _ in range(3)]
        for name in ("score_mean", "policy_loss"):
            assert [row[name] for row in rows_after] == [row[name] for row in rows[2:]]
        weights, others = whole.average_weights(), second.average_weights()
        assert all(np.array_equal(weights[name], others[name]) for name in weights)
    finally:
        for algorithm in (whole, first, second):
            algorithm.stop()


def test_runners_and_a_discriminator_of_their_own_paint_given_pictures(on_ray, run):
    settings = [*KINDS["complement"], CLASSES, "num_env_runners=2", "discriminator.remote=true"]
    algorithm = build(config.override(run, settings))
    try:
        rows = [algorithm.train_metrics() for _ in range(5)]
    finally:
        algorithm.stop()
    assert rows[-1]["env_steps_trained"] >= 5 * 24 and rows[-1]["env_steps_dropped"] == 0
    assert all(np.isfinite(value) for row in rows for value in row.values())
    assert any(row.get("discriminator/gap") for row in rows)


def evaluated(run, painter=None):
    return Evaluator(run)(painter)[0]


def test_a_painter_of_nothing_in_particular_has_no_error_and_no_accuracy(run):
    assert not {"squared_error", "random_error", "accuracy"} & set(evaluated(run))


def test_the_sheet_of_a_painter_of_classes_shows_all_of_them(run):
    whole = config.override(
        run, [CLASSES, "data=digits", "evaluate_samples=250"]
    )  # held-out digits come class by class
    evaluator = Evaluator(whole)
    paintings, labels = paint(None, whole.env, 250, given=evaluator.task), evaluator.task["label"]
    shown = np.round(np.linspace(0, 249, 100)).astype(int)
    assert set(labels[shown]) == set(range(10)) != set(labels[:100])
    marked = np.broadcast_to(20 * labels.astype(np.uint8)[:, None, None, None], paintings.canvases.shape)
    greys = np.unique(evaluator.sheet(paintings._replace(canvases=marked.copy())))
    assert set(20 * np.arange(10)) <= set(greys)


def test_only_digits_are_read(run, tmp_path):
    """Ten classes of other pictures are none of its business."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (300, 16, 16), dtype=np.uint8), np.arange(300) % 10
    np.savez(tmp_path / "noise.npz", images=images, labels=labels)
    noise = config.override(run, [TARGET, f"data={tmp_path / 'noise.npz'}"])
    assert "accuracy" not in evaluated(noise) and "squared_error" in evaluated(noise)
    np.savez(tmp_path / "plain.npz", images=images)
    plain = config.override(run, [TARGET, f"data={tmp_path / 'plain.npz'}"])
    assert "accuracy" not in evaluated(plain)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ["objective.name=l2"],
            r"^objective l2 compares paintings with given pictures, and this run gives none; set env\.target=true, or",
        ),
        (
            ["env.reward=l2"],
            r"^env\.reward=l2 compares paintings with given pictures, and this run gives none; set env\.t",
        ),
        (["env.classes=5"], r"^the labels of .*digits\.npz go up to 9; set env\.classes=10, got 5$"),
        (["env.classes=12"], r"^no picture of .*digits\.npz has label 10; classes=12 needs 0 to 11$"),
    ],
)
def test_settings_that_do_not_go_together_start_nothing(run, tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        train(config.override(run, settings), tmp_path / "run")
    assert not (tmp_path / "run").exists()
