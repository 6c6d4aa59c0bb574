import numpy as np
import pytest

from spiral import Brush, Program, Stroke, replay
from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.renderers import RENDERERS
from spiral.tiles import Patch, apart, patches, tiled

SQUARE = CanvasSpec(64, 64, 1)
WIDE = CanvasSpec(32, 16, 3, (0.5, 0.5, 0.5))


@pytest.mark.parametrize(
    ("canvas", "size", "tiles", "whole"),
    [
        (SQUARE, (500, 500), 3, (192, 192)),
        (SQUARE, (4000, 3000), 3, (256, 192)),
        (SQUARE, (3000, 4000), 1, (64, 85)),
        (SQUARE, (3, 3), 16, (1024, 1024)),
        (WIDE, (100, 100), 2, (64, 64)),  # its shorter side is the width: of tiles this shape it holds fewer
        (WIDE, (400, 100), 2, (128, 32)),
    ],
)
def test_a_tiled_canvas_has_the_shape_of_the_picture_and_so_many_tiles_at_least(canvas, size, tiles, whole):
    large = tiled(canvas, size, tiles, "a.png")
    assert (large.width, large.height) == whole
    assert (large.channels, large.background) == (canvas.channels, canvas.background)


@pytest.mark.parametrize(
    ("size", "tiles", "message"),
    [
        (
            (100, 100),
            17,
            r"^a.png: a canvas for it of 17 tiles is 1088 x 1088 pixels, at most 1024 .*; give at most 16 t",
        ),
        ((100, 300), 8, "8 tiles is 512 x 1536 pixels, at most 1024 are accepted; give at most 5 tiles$"),
        ((1, 5000), 1, "1 tile is 64 x 320000 pixels, .*; such a long one cannot be painted by tiles$"),
    ],
)
def test_a_canvas_larger_than_a_program_may_have_is_refused(size, tiles, message):
    with pytest.raises(InputError, match=message):
        tiled(SQUARE, size, tiles, "a.png")


@pytest.mark.parametrize("width", range(64, 300, 17))
@pytest.mark.parametrize("height", [64, 65, 128, 250])
def test_every_place_is_far_from_the_borders_of_some_patch(width, height):
    whole = CanvasSpec(width, height, 1)
    parts = patches(SQUARE, whole)
    assert len(set(parts)) == len(parts)
    assert all(0 <= part.left <= width - 64 and 0 <= part.top <= height - 64 for part in parts)
    far = np.zeros((height, width), bool)  # an eighth of a patch from its border; the canvas's own edge is none
    for part in parts:
        ends = ((part.left, width), (part.top, height))
        x, y = (slice(begin + 8 * (begin > 0), begin + 64 - 8 * (begin + 64 < side)) for begin, side in ends)
        far[y, x] = True
    assert far.all()


def test_a_canvas_that_is_no_larger_is_one_patch():
    assert patches(SQUARE, SQUARE) == [Patch(0, 0, SQUARE, SQUARE)]


def places_of(width, height):
    return [(part.left, part.top) for part in patches(SQUARE, CanvasSpec(width, height, 1))]


def test_the_grid_comes_first_row_by_row_and_then_those_half_way():
    assert places_of(128, 128) == [
        *[(0, 0), (64, 0), (0, 64), (64, 64)],
        *[(32, 0), (32, 64)],
        *[(0, 32), (64, 32)],
        *[(32, 32)],
    ]
    assert len(places_of(192, 192)) == 25


def test_or_column_by_column_where_patches_of_a_row_overlap():
    assert places_of(100, 128)[:4] == [(0, 0), (0, 64), (36, 0), (36, 64)]
    assert places_of(128, 100)[:4] == [(0, 0), (64, 0), (0, 36), (64, 36)]


@pytest.mark.parametrize(
    ("width", "height", "sizes"),
    [
        (192, 128, [6, 4, 3, 2]),
        (192, 130, [3, 3, 3 + 2, 2, 2, 3, 3, 2, 2]),
        (130, 128, 3 * [2] + 2 * [2] + 3 * [1] + 2 * [1]),
    ],
)
def test_patches_that_do_not_overlap_are_grouped(width, height, sizes):
    parts = patches(SQUARE, CanvasSpec(width, height, 1))
    groups = apart(parts, 100)
    assert [part for group in groups for part in group] == parts
    assert list(map(len, groups)) == sizes
    for group in groups:
        painted = np.zeros((height, width), int)
        for part in group:
            painted[part.top : part.top + 64, part.left : part.left + 64] += 1
        assert painted.max() == 1
    assert max(map(len, apart(parts, 2))) == 2 and apart(parts, 1) == [[part] for part in parts]


@pytest.mark.parametrize("own", [SQUARE, WIDE], ids=["square", "wide"])
def test_a_stroke_of_a_patch_is_the_same_pixels_on_the_whole_and_goes_on_beyond(own):
    whole = CanvasSpec(100, 150, own.channels, own.background)
    patch = Patch(23, 61, own, whole)
    stroke = Stroke((0.1, 0.2), (0.9, 0.1), (1.0, 0.6), Brush(0.3, (0.1, 0.1, 0.1), 0.8, (0.4, 1.0)), (1, 2))
    alone = RENDERERS.get("cairo")(own)
    alone.draw(stroke)
    large = replay(Program(whole, (patch.on_whole(stroke),)))
    np.testing.assert_allclose(patch.of(large).astype(int), alone.pixels(), atol=2)
    right = large[61 : 61 + own.height, 23 + own.width :]
    assert (right != round(255 * own.background[0])).any()
    assert patch.on_whole(stroke).brush.pressure == (0.4, 1.0)
