"""``spiral evaluate``: a painter on disk against held-out pictures."""

import gc
import json
import math

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from spiral import config
from spiral.agents.painter import Painter
from spiral.agents.painter_file import load_painter, save_painter
from spiral.cli import main
from spiral.envs.easel import Easel
from spiral.evaluate import EVALUATION_SEED, SEARCH_SEED, Evaluator
from spiral.metrics import METRICS, squared_error
from spiral.paint import paint, rollouts
from spiral.search import search


def evaluated(*arguments):
    result = CliRunner().invoke(main, ["evaluate", *map(str, arguments)])
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def refused(*arguments):
    result = CliRunner().invoke(main, ["evaluate", *map(str, arguments)])
    assert result.exit_code == 2
    return result.stderr


@pytest.fixture(scope="module")
def figures(painter_file):
    return json.loads(evaluated(painter_file, "--json"))


def test_every_figure_has_a_meaning(figures):
    assert set(figures) <= set(METRICS)
    assert figures["env_steps_trained"] == 240
    assert figures["classifier_accuracy"] > 0.97


def test_a_painter_that_learned_nothing_paints_like_a_random_one(figures):
    assert 0.5 < figures["frechet_ratio"] < 2  # 20 paintings of a network drawn at random
    assert figures["real_floor"] < figures["random_painter"] / 2
    assert 0 <= figures["pen_lifts"] <= figures["strokes"] <= 3
    assert 0 < figures["pen_travel"] <= 2 * 141.5  # two lifts, each at most the diagonal of 100 mm by 100 mm


def test_the_same_painter_is_measured_the_same(figures, painter_file):
    assert json.loads(evaluated(painter_file, "--json")) == figures


def test_greedily_a_painter_paints_what_it_finds_most_probable(figures, painter_file):
    greedy = json.loads(evaluated(painter_file, "--json", "--greedy"))
    trained = load_painter(painter_file)
    measured, paintings = Evaluator(trained.run)(trained.painter, greedy=True)
    expected = paint(trained.painter, trained.run.env, trained.run.evaluate_samples, EVALUATION_SEED, greedy=True)
    assert np.array_equal(paintings.canvases, expected.canvases)
    assert greedy == {"env_steps_trained": 240} | measured != figures


def test_the_table_has_a_line_for_each_figure(figures, painter_file):
    lines = evaluated(painter_file).splitlines()
    assert [line.split()[0] for line in lines] == list(figures)
    assert lines[0].endswith(METRICS[lines[0].split()[0]].meaning)


def test_other_pictures_are_compared_with_on_request(figures, painter_file, tmp_path):
    data = tmp_path / "black.npz"
    np.savez(data, images=np.random.default_rng(0).integers(0, 256, size=(300, 16, 16), dtype=np.uint8))
    others = json.loads(evaluated(painter_file, "--json", "--data", data))
    assert others["frechet_distance"] != figures["frechet_distance"]


# -- painters of given pictures ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def copying_run(tiny_run):
    return config.override(tiny_run, ["env.target=true", "evaluate_samples=110"])  # more than are painted side by side


@pytest.fixture(scope="module")
def copyist(copying_run):
    """A painter of given pictures that has learned nothing."""
    with torch.random.fork_rng():
        torch.manual_seed(1)  # one that paints at every step
        return Painter(copying_run.painter, copying_run.env).eval()


@pytest.fixture(scope="module")
def copyist_file(copyist, copying_run, tmp_path_factory):
    path = tmp_path_factory.mktemp("copyist") / "painter.npz"
    save_painter(path, {name: value.numpy() for name, value in copyist.state_dict().items()}, copying_run, 240)
    return path


@pytest.fixture(scope="module")
def copied(copyist_file):
    """What spiral evaluate says of it, beside greedy searches."""
    return json.loads(evaluated(copyist_file, "--json", "--search", 4, "--search", 64))


def test_a_painter_of_given_pictures_is_measured_beside_search_and_chance(copied):
    compared = copied["reconstruction"]
    assert set(copied) - {"reconstruction"} <= set(METRICS)
    assert list(compared) == ["painter", "search 4", "search 64", "random"]
    for row in compared.values():
        assert set(row) <= set(METRICS)
        assert row["squared_errors"][-1] == row["squared_error"] and len(row["squared_errors"]) == 3
        assert 0 <= row["accuracy"] <= 1
        assert row["cpu_seconds_per_picture"] > 0
    assert compared["painter"]["squared_error"] == copied["squared_error"]
    assert compared["painter"]["accuracy"] == copied["accuracy"]
    assert compared["random"]["squared_error"] == copied["random_error"]


def test_a_search_of_more_candidates_comes_nearer_and_costs_more(copied):
    few, many, random = (copied["reconstruction"][name] for name in ("search 4", "search 64", "random"))
    assert many["squared_error"] < few["squared_error"] < random["squared_error"]
    assert many["squared_errors"] == sorted(many["squared_errors"], reverse=True)
    assert many["cpu_seconds_per_picture"] > few["cpu_seconds_per_picture"]
    assert many["cpu_seconds_per_picture"] > random["cpu_seconds_per_picture"]  # of one, not of all side by side


def test_errors_are_those_of_the_canvases_after_each_action(copyist, copying_run, copied):
    pictures = Evaluator(copying_run).pictures
    parts = list(rollouts(copyist, copying_run.env, 110, EVALUATION_SEED, greedy=True, given={"target": pictures}))
    actions = np.concatenate([rollout.actions for rollout, _ in parts])[:110]
    easel, errors = Easel(copying_run.env, 110), []
    for step in range(3):
        easel.paint(actions[:, step])
        errors.append(squared_error(easel.canvases(), pictures))
    assert len(set(errors)) == 3
    assert copied["reconstruction"]["painter"]["squared_errors"] == pytest.approx(errors, rel=1e-12)


def test_errors_are_of_what_the_painter_was_trained_to_see(copyist, copying_run):
    evaluator = Evaluator(config.override(copying_run, ["objective.scales=[8,4]"]))
    measured, paintings = evaluator(copyist)
    compared = evaluator.reconstructions(copyist, searches=[16])
    assert measured["squared_error"] == squared_error(paintings.canvases, evaluator.pictures, 4)
    assert compared["painter"]["squared_error"] == pytest.approx(measured["squared_error"], rel=1e-12)
    assert compared["random"]["squared_error"] == pytest.approx(measured["random_error"], rel=1e-12)
    found = search(copying_run.env, evaluator.pictures, 16, SEARCH_SEED, scale=4)
    assert compared["search 16"]["squared_errors"] == [
        pytest.approx(error, rel=1e-12) for error in found.errors.mean(0)
    ]
    assert found.errors[:, -1].mean() == pytest.approx(squared_error(found.canvases, evaluator.pictures, 4), rel=1e-12)


def test_cpu_seconds_are_those_of_one_thread_and_without_garbage_of_before(copyist, copying_run):
    """And torch gets its threads back, the garbage collector its objects."""
    threads, seen = torch.get_num_threads(), []

    def watching(items, count):
        seen.append((torch.get_num_threads(), gc.get_freeze_count() > 10_000))
        return items

    torch.set_num_threads(2)
    try:
        Evaluator(copying_run).reconstructions(copyist, [1], watching)
        assert (seen, torch.get_num_threads(), gc.get_freeze_count()) == ([(1, True)], 2, 0)
    finally:
        torch.set_num_threads(threads)


def test_the_table_of_reconstructions(copyist_file):
    lines = evaluated(copyist_file, "--samples", 10, "--search", 8).splitlines()
    header, *rows = lines[lines.index("") + 1 :]
    assert header.split() == ["squared_error", "accuracy", "cpu_seconds_per_picture"]
    assert [row[:22].strip() for row in rows] == ["painter", "search 8", "random"]
    assert all(len(row) == len(header) and len(row[22:].split()) == 3 for row in rows)


def test_fewer_samples_are_measured_on_request(copyist_file, copied):
    few = json.loads(evaluated(copyist_file, "--json", "--samples", 10))
    assert few["squared_error"] != copied["squared_error"]
    assert list(few["reconstruction"]) == ["painter", "random"]


def test_pictures_without_digits_have_no_accuracy(copyist_file, tmp_path):
    np.savez(tmp_path / "noise.npz", images=np.random.default_rng(0).integers(0, 256, (60, 16, 16), np.uint8))
    measured = json.loads(evaluated(copyist_file, "--json", "--data", tmp_path / "noise.npz", "--search", 2))
    assert "accuracy" not in measured
    assert all("accuracy" not in row for row in measured["reconstruction"].values())
    assert all(math.isfinite(row["squared_error"]) for row in measured["reconstruction"].values())


def test_a_painter_of_no_given_pictures_has_nothing_to_search_for(painter_file):
    assert refused(painter_file, "--search", 10) == (
        f"Error: --search paints given pictures, and the painter {painter_file} is given none; leave it out, or evaluate "
        "a painter that was trained with env.target=true\n"
    )


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--search", 0, "--search must be a whole number from 1 to 10000, got 0"),
        ("--search", 10_001, "--search must be a whole number from 1 to 10000, got 10001"),
        ("--samples", 9, "--samples must be a whole number from 10 to 100000, got 9"),
    ],
)
def test_numbers_that_are_refused(copyist_file, option, value, message):
    assert refused(copyist_file, option, value) == f"Error: {message}\n"
