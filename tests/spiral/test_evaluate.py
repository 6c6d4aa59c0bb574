"""``spiral evaluate``: a painter on disk against held-out pictures."""

import json

import pytest
from click.testing import CliRunner

from spiral.cli import main
from spiral.metrics import METRICS


def evaluated(*arguments):
    result = CliRunner().invoke(main, ["evaluate", *map(str, arguments)])
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


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


def test_the_table_has_a_line_for_each_figure(figures, painter_file):
    lines = evaluated(painter_file).splitlines()
    assert [line.split()[0] for line in lines] == list(figures)
    assert lines[0].endswith(METRICS[lines[0].split()[0]].meaning)


def test_other_pictures_are_compared_with_on_request(figures, painter_file, tmp_path):
    import numpy as np

    data = tmp_path / "black.npz"
    np.savez(data, images=np.random.default_rng(0).integers(0, 256, size=(300, 16, 16), dtype=np.uint8))
    others = json.loads(evaluated(painter_file, "--json", "--data", data))
    assert others["frechet_distance"] != figures["frechet_distance"]
