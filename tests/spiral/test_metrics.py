import math

import numpy as np
import pytest

from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.geometry import Point
from spiral.metrics import (
    class_shares,
    entropy,
    frechet_distance,
    ink,
    measure_strokes,
    pen_lifts,
    pen_travel,
    squared_error,
    squared_errors,
)
from spiral.program import Program
from spiral.stroke import Brush, Stroke


def exactly_normal(mean, standard_deviation, count=50, seed=0):
    """Features [count, len(mean)] whose sample mean is this and whose sample covariance is diagonal, both exactly."""
    drawn = np.random.default_rng(seed).normal(size=(count, len(mean)))
    orthogonal, _ = np.linalg.qr(drawn - drawn.mean(axis=0))
    return orthogonal * math.sqrt(count - 1) * standard_deviation + mean


def some_features(seed, count=40, length=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, length)) @ rng.normal(size=(length, length)) + rng.normal(size=length)


def frechet_distance_literally(a, b):
    covariance_a, covariance_b = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    trace_of_root = np.sqrt(np.linalg.eigvals(covariance_a @ covariance_b).astype(complex)).real.sum()
    apart = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    return apart + np.trace(covariance_a) + np.trace(covariance_b) - 2 * trace_of_root


def test_frechet_distance_of_independent_normals_is_its_closed_form():
    a = exactly_normal([0.0, 1.0, 5.0], [1.0, 2.0, 0.0])
    b = exactly_normal([3.0, 1.0, 1.0], [1.0, 0.5, 3.0], seed=1)
    assert frechet_distance(a, b) == pytest.approx((3**2 + 0 + 4**2) + (0 + 1.5**2 + 3**2))


@pytest.mark.parametrize("seed", range(3))
def test_frechet_distance_is_the_published_formula(seed):
    a, b = some_features(seed), some_features(seed + 10, count=70)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance_literally(a, b), rel=1e-9)


def test_frechet_distance_is_symmetric_and_zero_to_itself():
    a, b = some_features(0), some_features(1)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-12)
    for seed in range(20):  # rounding goes both ways
        a = some_features(seed)
        assert 0 <= frechet_distance(a, a) < 1e-10


def test_frechet_distance_does_not_change_when_both_sides_are_turned_and_moved():
    a, b = some_features(0), some_features(1)
    turn, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(6, 6)))
    assert frechet_distance(a @ turn + 7, b @ turn + 7) == pytest.approx(frechet_distance(a, b), rel=1e-9)


def test_frechet_distance_of_fewer_pictures_than_features_and_of_equal_pictures():
    few, many = some_features(0, count=3, length=8), some_features(1, count=50, length=8)
    assert frechet_distance(few, many) == pytest.approx(frechet_distance_literally(few, many), rel=1e-6)
    equal = np.ones((5, 8), np.float32)
    assert frechet_distance(equal, equal + 1) == pytest.approx(8)


def test_frechet_distance_refuses_what_has_no_covariance():
    with pytest.raises(InputError, match=r"features have shapes \(1, 3\) and \(4, 3\); give \[N, F\] and \[M, F\]"):
        frechet_distance(np.zeros((1, 3)), np.zeros((4, 3)))
    with pytest.raises(InputError, match=r"features have shapes \(4, 2\) and \(4, 3\)"):
        frechet_distance(np.zeros((4, 2)), np.zeros((4, 3)))
    with pytest.raises(InputError, match="features are not all finite"):
        frechet_distance(np.zeros((4, 2)), np.full((4, 2), np.nan))


def test_class_shares_count_the_most_probable_class():
    probabilities = np.array([[0.6, 0.4, 0.0], [0.1, 0.9, 0.0], [0.5, 0.3, 0.2], [0.4, 0.3, 0.3]])
    assert class_shares(probabilities).tolist() == [0.75, 0.25, 0.0]


def test_entropy_is_in_nats():
    assert entropy(np.full(10, 0.1)) == pytest.approx(math.log(10))
    assert entropy(np.array([0.75, 0.25, 0.0])) == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    assert math.copysign(1, entropy(np.array([0.0, 1.0]))) == 1


def test_ink_is_mean_darkness():
    images = np.full((2, 4, 4, 1), 255, np.uint8)
    assert ink(images) == 0
    images[0] = 0
    images[1, 0] = 204
    assert ink(images) == pytest.approx((1 + 0.25 * 0.2) / 2)


def test_squared_errors_are_means_over_all_values_in_0_to_1():
    pictures = np.zeros((3, 2, 2, 3), np.uint8)
    paintings = pictures.copy()
    paintings[1] = 255
    paintings[2, 0, 0] = (51, 0, 102)
    expected = [0, 1, (0.2**2 + 0.4**2) / 12]
    assert squared_errors(paintings, pictures) == pytest.approx(expected, rel=1e-12)
    assert squared_errors(pictures, paintings) == pytest.approx(expected, rel=1e-12)
    assert squared_errors(paintings, pictures[0]) == pytest.approx(expected, rel=1e-12)
    assert squared_error(paintings, pictures) == pytest.approx(sum(expected) / 3, rel=1e-12)
    assert paintings[1].all() and not pictures.any()  # both are left as they were


@pytest.mark.parametrize("scale", [2, 3, 5])
def test_at_a_scale_only_the_means_of_blocks_are_compared(scale):
    chance = np.random.default_rng(scale)
    paintings, pictures = chance.integers(0, 256, (2, 3, 7, 10, 3), np.uint8)
    expected = []
    for painting, picture in zip(paintings, pictures, strict=True):
        means = [
            (painting[y : y + scale, x : x + scale] / 255 - picture[y : y + scale, x : x + scale] / 255).sum((0, 1))
            / scale**2  # what is beyond the edge is alike
            for y in range(0, 7, scale)
            for x in range(0, 10, scale)
        ]
        expected.append(np.square(means).mean())
    assert squared_errors(paintings, pictures, scale) == pytest.approx(expected, rel=1e-12)
    assert squared_error(paintings, pictures, scale) == pytest.approx(np.mean(expected), rel=1e-12)
    board = 255 * (np.indices((12, 12)).sum(axis=0) % 2).astype(np.uint8)[np.newaxis, ..., np.newaxis]
    grey = np.full_like(board, 128)
    assert squared_error(board, grey) > 0.24 and squared_error(board, grey, 2) < 1e-5


def painting(*ends, colors=None, width=32, height=32):
    colors = colors or [(0.0, 0.0, 0.0)] * len(ends)
    strokes = [
        Stroke(Point(*start), Point(0.5, 0.5), Point(*end), Brush(0.1, color))
        for (start, end), color in zip(ends, colors, strict=True)
    ]
    return Program(CanvasSpec(width, height, 3), tuple(strokes))


def test_a_pen_lift_is_a_stroke_that_starts_elsewhere():
    a, b, c = (0.1, 0.1), (0.2, 0.9), (0.7, 0.3)
    assert pen_lifts(painting()) == 0
    assert pen_lifts(painting((a, b))) == 0
    assert pen_lifts(painting((a, b), (b, c), (c, a))) == 0
    assert pen_lifts(painting((a, b), (c, a), (a, a), (b, c))) == 2


def test_another_colour_is_another_pen_so_it_needs_a_lift():
    a, b = (0.1, 0.1), (0.2, 0.9)
    red, blue = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
    assert pen_lifts(painting((a, b), (b, a), (a, b), colors=[red, red, blue])) == 1


def test_pen_travel_is_in_mm_of_a_picture_of_this_shorter_side():
    a, b, c = (0.0, 0.0), (0.5, 0.0), (0.5, 1.0)
    assert pen_travel(painting(), 100.0) == 0
    assert pen_travel(painting((a, b), (b, c)), 100.0) == 0
    assert pen_travel(painting((a, b), (a, b), (c, a)), 100.0) == pytest.approx(50 + 100)
    assert pen_travel(painting((a, b), (a, b), (c, a), width=64), 100.0) == pytest.approx(100 + 100)
    assert pen_travel(painting((c, a), (c, a), height=48), 10.0) == pytest.approx(math.hypot(5, 15))


def test_metrics_of_strokes_are_means_over_paintings():
    a, b, c = (0.0, 0.0), (0.5, 0.0), (0.5, 1.0)
    programs = [painting((a, b), (a, b), (c, a)), painting((a, b), (b, c))]
    assert measure_strokes(programs, 10.0) == pytest.approx({"strokes": 2.5, "pen_lifts": 1.0, "pen_travel": 7.5})
