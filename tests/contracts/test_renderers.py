"""What every renderer must do; a new one is picked up by being registered."""

import hashlib
import itertools
import math
import random
import subprocess
import sys

import numpy as np
import pytest

from spiral import Brush, Program, Stroke, replay
from spiral.canvas import Canvas, CanvasSpec
from spiral.errors import InputError
from spiral.renderers import RENDERERS

# Mean and worst pixel, in levels of 255, that one stroke may differ from the reference, which has 64 samples a pixel.
MEAN_TOLERANCE, WORST_TOLERANCE = 0.6, 64
HAIRPINS = {
    "there and back": ((0.2, 0.5), (0.9, 0.5), (0.2, 0.5)),
    "control beyond the end": ((0.1, 0.5), (0.9, 0.5), (0.3, 0.5)),
    "narrow": ((0.55, 0.71), (0.45, 0.81), (0.81, 0.355)),
    "off the canvas and back": ((0.2, 0.2), (2.0, 0.5), (0.2, 0.7)),
    "control at the end": ((0.3, 0.3), (0.8, 0.3), (0.8, 0.3)),
    "control at the start": ((0.3, 0.3), (0.3, 0.3), (0.7, 0.3)),
    "a dot": ((0.3, 0.3), (0.3, 0.3), (0.3, 0.3)),
}
PRESSURES = [(1.0, 1.0), (0.2, 1.0), (1.0, 0.0)]
NAMES = [*RENDERERS.names(), "cairo@4"]


@pytest.fixture(params=NAMES)
def renderer(request):
    return RENDERERS.get(request.param)


def random_strokes(count, seed, channels=3, opaque=False):
    rng = random.Random(seed)

    def point():
        return rng.random(), rng.random()

    def stroke():
        color = tuple(rng.random() for _ in range(3)) if channels == 3 else (rng.random(),) * 3
        pressure = rng.choice([(1.0, 1.0), (rng.random(), rng.random())])
        brush = Brush(rng.choice([1, 2, 4, 8, 12, 24]) / 64, color, 1.0 if opaque else rng.random(), pressure)
        return Stroke(point(), point(), point(), brush)

    return [stroke() for _ in range(count)]


def painted(renderer, spec, strokes):
    canvas = renderer(spec)
    for stroke in strokes:
        canvas.draw(stroke)
    return canvas.pixels()


def difference(a, b):
    return np.abs(a.astype(int) - b)


def test_the_registered_names():
    assert RENDERERS.names() == ["cairo", "reference"]


@pytest.mark.parametrize("width, height", [(16, 16), (33, 17), (64, 64), (28, 100), (1024, 1024)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_blank_canvas_is_background(renderer, width, height, channels):
    background = (0.25, 0.25, 0.25) if channels == 1 else (1.0, 0.5, 0.0)
    pixels = renderer(CanvasSpec(width, height, channels, background)).pixels()
    assert pixels.shape == (height, width, channels) and pixels.dtype == np.uint8
    expected = [64] if channels == 1 else [255, 128, 0]
    assert (pixels == expected).all()


@pytest.mark.parametrize("width, height", [(16, 16), (33, 17), (65, 64)])
def test_the_same_strokes_give_the_same_bytes(renderer, width, height):
    spec = CanvasSpec(width, height, 3)
    strokes = random_strokes(5, seed=1)
    assert (painted(renderer, spec, strokes) == painted(renderer, spec, strokes)).all()


def test_another_process_gives_the_same_bytes(renderer):
    name = next(name for name in NAMES if RENDERERS.get(name) is renderer)
    program = Program(CanvasSpec(32, 32, 3), random_strokes(5, seed=2), renderer=name)
    code = (
        "import sys, hashlib; from spiral import Program, replay\n"
        "print(hashlib.sha256(replay(Program.from_json(sys.stdin.read())).tobytes()).hexdigest())"
    )
    there = subprocess.run(
        [sys.executable, "-c", code], input=program.to_json(), capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == hashlib.sha256(replay(program).tobytes()).hexdigest()


def test_clear_makes_it_blank_again(renderer):
    spec = CanvasSpec(32, 24, 3, background=(0.2, 0.4, 0.6))
    canvas = renderer(spec)
    for stroke in random_strokes(3, seed=3):
        canvas.draw(stroke)
    canvas.clear()
    assert (canvas.pixels() == renderer(spec).pixels()).all()


def test_pixels_are_a_copy(renderer):
    canvas = renderer(CanvasSpec(16, 16, 1))
    canvas.pixels()[:] = 7
    assert (canvas.pixels() == 255).all()


def test_canvases_share_one_array_and_paint_only_their_own_part(renderer):
    memory = np.zeros((3, 20, 30, 4), np.uint8)
    spec = CanvasSpec(30, 20, 3)
    canvases = [renderer(spec, pixels) for pixels in memory]
    strokes = random_strokes(2, seed=4)
    for stroke in strokes:
        canvases[1].draw(stroke)
    assert (memory[[0, 2]] == 255).all()
    assert (memory[1, ..., :3] == painted(renderer, spec, strokes)).all()


def test_red_is_red(renderer):
    red = Stroke((0.5, 0.5), (0.5, 0.5), (0.5, 0.5), Brush(2.0, color=(1.0, 0.5, 0.25)))
    assert (painted(renderer, CanvasSpec(16, 16, 3), [red]) == [255, 128, 64]).all()


def test_opacity_is_the_same_where_a_stroke_meets_itself(renderer):
    for start, control, end in HAIRPINS.values():
        for pressure in PRESSURES:
            stroke = Stroke(start, control, end, Brush(0.2, opacity=0.5, pressure=pressure))
            assert painted(renderer, CanvasSpec(32, 32, 1), [stroke]).min() >= 127


def test_draw_and_draw_curve_are_the_same(renderer):
    spec = CanvasSpec(32, 32, 3)
    canvas = renderer(spec)
    canvas.draw_curve(0.1, 0.2, 0.8, 0.3, 0.4, 0.9, 0.1, 0.3, 0.9, 1.0, 0.5, 0.0, 0.7)
    stroke = Stroke((0.1, 0.2), (0.8, 0.3), (0.4, 0.9), Brush(0.1, (1.0, 0.5, 0.0), 0.7, (0.3, 0.9)))
    assert (canvas.pixels() == painted(renderer, spec, [stroke])).all()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", range(13))
def test_numbers_that_are_not_finite_are_refused_and_paint_nothing(renderer, value, place):
    canvas = renderer(CanvasSpec(16, 16, 1))
    numbers = [0.5] * 13
    numbers[place] = value
    with pytest.raises(InputError, match="a curve must have finite numbers, got"):
        canvas.draw_curve(*numbers)
    assert (canvas.pixels() == 255).all()


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((16, 16, 3), np.uint8), r"uint8 \[16, 16, 4\], got uint8 \[16, 16, 3\]"),
        (np.zeros((16, 16, 4), np.float32), r"got float32 \[16, 16, 4\]"),
        (np.zeros((16, 32, 4), np.uint8)[:, ::2], r"got uint8 \[16, 16, 4\], not contiguous"),
    ],
)
def test_memory_that_does_not_fit_is_refused(renderer, pixels, message):
    with pytest.raises(InputError, match=message):
        renderer(CanvasSpec(16, 16, 1), pixels)


def test_a_stroke_of_no_length_is_a_dot_of_its_width(renderer):
    for pressure in PRESSURES:
        dot = Stroke((0.5, 0.5), (0.5, 0.5), (0.5, 0.5), Brush(0.5, pressure=pressure))
        covered = (255 - painted(renderer, CanvasSpec(64, 64, 1), [dot]).astype(float)).sum() / 255
        assert covered == pytest.approx(math.pi * 16**2, rel=0.01)


def test_strokes_stay_round_on_a_canvas_that_is_not_square(renderer):
    dot = Stroke((0.5, 0.5), (0.5, 0.5), (0.5, 0.5), Brush(0.5))
    ink = 255 - painted(renderer, CanvasSpec(96, 48, 1), [dot]).astype(float)[..., 0]
    assert ink.sum(axis=0)[36:60].all() and not ink.sum(axis=0)[:35].any() and not ink.sum(axis=0)[61:].any()
    assert ink.sum(axis=1)[12:36].all() and not ink.sum(axis=1)[:11].any() and not ink.sum(axis=1)[37:].any()


@pytest.mark.parametrize("curve", HAIRPINS.values(), ids=HAIRPINS.keys())
@pytest.mark.parametrize("pressure", PRESSURES)
def test_hairpins_are_as_the_reference_paints_them(renderer, curve, pressure):
    check_against_reference(renderer, CanvasSpec(64, 64, 1), Stroke(*curve, Brush(0.1875, pressure=pressure)))


@pytest.mark.parametrize("spec", [CanvasSpec(64, 64, 1), CanvasSpec(33, 61, 3)], ids=["square grey", "odd RGB"])
def test_random_strokes_are_as_the_reference_paints_them(renderer, spec):
    for stroke in random_strokes(12, seed=5, channels=spec.channels):
        check_against_reference(renderer, spec, stroke)


def check_against_reference(renderer, spec, stroke):
    off = difference(painted(renderer, spec, [stroke]), painted(RENDERERS.get("reference"), spec, [stroke]))
    assert off.mean() < MEAN_TOLERANCE and off.max() < WORST_TOLERANCE, stroke


def test_opaque_strokes_that_do_not_touch_may_be_painted_in_any_order(renderer):
    strokes = [
        Stroke((0.1, y), (0.5, y + 0.1), (0.9, y), Brush(0.08, color, pressure=pressure))
        for y, color, pressure in ((0.1, (1, 0, 0), (1, 1)), (0.4, (0, 1, 0), (0.1, 1)), (0.7, (0, 0, 1), (1, 0.5)))
    ]
    spec = CanvasSpec(48, 48, 3)
    first, *others = [painted(renderer, spec, order) for order in itertools.permutations(strokes)]
    assert all((other == first).all() for other in others)


@pytest.mark.parametrize("pressure", [(1.0, 1.0), (0.4, 1.0)])
def test_strokes_that_begin_where_the_last_ended_are_connected(renderer, pressure):
    rng = random.Random(6)
    canvas = renderer(CanvasSpec(64, 64, 1))
    pen = (0.5, 0.5)
    for _ in range(10):
        end = (rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9))
        canvas.draw(Stroke(pen, (rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9)), end, Brush(0.06, pressure=pressure)))
        pen = end
    assert connected_areas(canvas.pixels()[..., 0] < 200) == 1


def connected_areas(ink):
    """How many areas of ink there are, bool [H, W], neighbours being all eight."""
    left = set(zip(*np.nonzero(ink), strict=True))
    areas = 0
    while left:
        areas += 1
        edge = [left.pop()]
        while edge:
            y, x = edge.pop()
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            edge += near
    return areas


class SquarePens(Canvas):
    """Deliberately wrong: a square pen, straight from start to end."""

    def draw_swept(self, x0, y0, x1, y1, x2, y2, width0, width1, red, green, blue, opacity):
        for t in np.linspace(0, 1, 200):
            x, y, half = ((1 - t) * a + t * b for a, b in ((x0, x2), (y0, y2), (width0 / 2, width1 / 2)))
            top, bottom, left, right = (
                max(0, round(self.spec.width * side)) for side in (y - half, y + half, x - half, x + half)
            )
            self.memory[top:bottom, left:right, :3] = 0


def test_the_contract_rejects_a_wrong_renderer():
    for check in (
        test_a_stroke_of_no_length_is_a_dot_of_its_width,
        test_red_is_red,
        test_opacity_is_the_same_where_a_stroke_meets_itself,
    ):
        with pytest.raises(AssertionError):
            check(SquarePens)
    for curve in HAIRPINS.values():
        with pytest.raises(AssertionError):
            test_hairpins_are_as_the_reference_paints_them(SquarePens, curve, (1.0, 1.0))


# What follows holds for cairo, the renderer programs are meant for; the reference is too slow at these sizes.


@pytest.mark.parametrize("channels", [1, 3])
def test_a_large_replay_made_small_is_the_painting(channels):
    spec = CanvasSpec(64, 64, channels)
    for seed in range(100):
        program = Program(spec, random_strokes(20, seed, channels, opaque=seed % 2 == 0))
        large = replay(program, size=1024).reshape(64, 16, 64, 16, channels).mean(axis=(1, 3))
        assert np.abs(replay(program) - large).mean() < 1.0, seed
