"""Canvases drawn large: every pixel is the mean of a block, and everything else is as on any canvas."""

import random

import numpy as np
import pytest

from spiral import Brush, Program, Stroke, replay
from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.renderers import RENDERERS


def random_strokes(count, channels=3, seed=0):
    """Thick and thin, even and tapered, some of them partly or wholly off the canvas."""
    rng = random.Random(seed)

    def stroke():
        points = [(rng.uniform(-0.6, 1.6), rng.uniform(-0.6, 1.6)) for _ in range(3)]
        color = tuple(rng.random() for _ in range(3)) if channels == 3 else (rng.random(),) * 3
        pressure = rng.choice([(1.0, 1.0), (rng.random(), rng.random())])
        return Stroke(*points, Brush(rng.choice([0.02, 0.1, 0.5]), color, rng.random(), pressure))

    beside = Stroke((1.3, 0.1), (1.5, 0.5), (1.3, 0.9), Brush(0.1))
    return [*(stroke() for _ in range(count - 1)), beside]


def mean_of_blocks(pixels, times):
    """uint8, halves rounded up."""
    height, width, channels = pixels.shape
    sums = pixels.reshape(height // times, times, width // times, times, channels).sum(axis=(1, 3), dtype=int)
    return (sums + times * times // 2) // (times * times)


@pytest.mark.parametrize("times", [2, 3, 4, 7, 16])
@pytest.mark.parametrize("width, height, channels", [(32, 32, 1), (17, 40, 3)])
def test_every_pixel_is_the_mean_of_a_block_after_every_stroke(times, width, height, channels):
    small = RENDERERS.get(f"cairo@{times}")(CanvasSpec(width, height, channels))
    large = RENDERERS.get("cairo")(CanvasSpec(times * width, times * height, channels))
    for stroke in random_strokes(30, channels):
        small.draw(stroke)
        large.draw(stroke)
        off = np.abs(small.pixels() - mean_of_blocks(large.pixels(), times))
        assert off.max() <= (0 if times in (2, 4, 16) else 1)  # how thirds are rounded is up to Pillow


def test_other_renderers_draw_large_too():
    spec, strokes = CanvasSpec(16, 16, 1), random_strokes(3, channels=1)
    large = replay(Program(spec, strokes, renderer="reference"), size=32)
    assert np.array_equal(replay(Program(spec, strokes, renderer="reference@2")), mean_of_blocks(large, 2))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_can_be_painted_on(channels):
    picture = np.random.default_rng(0).integers(0, 256, (16, 24, channels), np.uint8)
    canvas = RENDERERS.get("cairo@4")(CanvasSpec(24, 16, channels))
    canvas.cover(picture)
    assert np.array_equal(canvas.pixels(), picture)
    canvas.draw(Stroke((0.5, 0.5), (0.5, 0.5), (0.5, 0.5), Brush(0.5)))
    y, x = np.indices((16, 24)) + 0.5
    outside = np.hypot(x - 12, y - 8) > 4 + 2**0.5
    assert canvas.pixels()[8, 12, 0] == 0 and np.array_equal(canvas.pixels()[outside], picture[outside])


def test_a_cleared_canvas_has_nothing_of_what_was_on_it():
    spec, (first, second) = CanvasSpec(16, 16, 3), random_strokes(3)[:2]
    used, new = (RENDERERS.get("cairo@2")(spec) for _ in range(2))
    used.draw(first)
    used.clear()
    for canvas in (used, new):
        canvas.draw(second)
    assert np.array_equal(used.pixels(), new.pixels())


def test_a_canvas_that_becomes_another_goes_on_as_it():
    first, *then = random_strokes(5)
    spec = CanvasSpec(20, 20, 3)
    one, other = (RENDERERS.get("cairo@3")(spec) for _ in range(2))
    one.draw(first)
    other.become(one)
    for stroke in then:
        one.draw(stroke)
        other.draw(stroke)
    assert np.array_equal(one.pixels(), other.pixels())


def test_no_more_is_drawn_than_the_largest_canvas():
    small = RENDERERS.get("cairo@4")(CanvasSpec(4096, 16, 1))
    large = RENDERERS.get("cairo")(CanvasSpec(8192, 32, 1))
    for stroke in random_strokes(3, channels=1):
        small.draw(stroke)
        large.draw(stroke)
    assert np.array_equal(small.pixels(), mean_of_blocks(large.pixels(), 2))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cario@4", "unknown renderer 'cario'; known: cairo, reference. Did you mean 'cairo'"),
        (
            "cairo@",
            "unknown renderer 'cairo@'; after @ comes how many times larger cairo draws, 2 to 16, such as cairo@4",
        ),
        ("cairo@1", "unknown renderer 'cairo@1'; after @"),
        ("cairo@17", "unknown renderer 'cairo@17'; after @"),
        ("cairo@2.5", "unknown renderer 'cairo@2.5'; after @"),
        ("cairo@4@4", "unknown renderer 'cairo@4@4'; after @"),
        ("cairo@" + "9" * 5000, "unknown renderer 'cairo@9{53}; after @"),
    ],
)
def test_names_that_are_none(name, message):
    with pytest.raises(InputError, match=message):
        RENDERERS.get(name)
