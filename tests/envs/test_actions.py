"""The action table: names, order, ranges, and what each part changes on the canvas."""

import numpy as np
import pytest

from spiral.config import EnvConfig
from spiral.envs.actions import MOVE, PAINT, action_table
from spiral.envs.easel import Easel
from spiral.errors import InputError
from spiral.stroke import Brush

GRID = 16
SIZES, PRESSURES = (0.1, 0.3), (0.25, 0.5, 1.0)
MIDDLE = 7 * GRID + 8
PALETTE = ((0.0, 0.0, 0.0), (0.9, 0.1, 0.2), (0.0, 0.3, 0.7))
GREYS = ((0.0, 0.0, 0.0), (0.3, 0.3, 0.3), (0.6, 0.6, 0.6))


def config(**options):
    return EnvConfig(**{"grid": GRID, "sizes": SIZES, "pressures": PRESSURES, "color_levels": 5, **options})


def action(flag=PAINT, end=0, control=0, size=0, pressure=0, **colors):
    return [flag, end, control, size, pressure, *colors.values()]


def cell(column, row):
    return row * GRID + column


def strokes(*actions, **options):
    easel = Easel(config(**options), 1)
    for row in actions:
        easel.paint(np.array([row]))
    return easel.strokes(0)


def test_the_parts_of_an_rgb_action_in_order():
    table = action_table(config(channels=3))
    assert table.parts == ("flag", "end", "control", "size", "pressure", "red", "green", "blue")
    assert table.nvec.tolist() == [2, 256, 256, 2, 3, 5, 5, 5]
    assert table.space.nvec.tolist() == table.nvec.tolist()


def test_a_grey_action_has_no_colour_parts():
    table = action_table(config(channels=1))
    assert table.parts == ("flag", "end", "control", "size", "pressure")
    assert table.nvec.tolist() == [2, 256, 256, 2, 3]


def test_a_part_with_one_level_stays_in_the_table():
    table = action_table(config(channels=3, sizes=(0.1,), pressures=(1.0,), color_levels=1))
    assert len(table.parts) == 8
    assert table.nvec.tolist() == [2, 256, 256, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(("channels", "palette"), [(1, GREYS), (3, PALETTE), (3, PALETTE[:1])])
def test_a_palette_is_one_part_of_so_many_pens(channels, palette):
    table = action_table(config(channels=channels, palette=palette))
    assert table.parts == ("flag", "end", "control", "size", "pressure", "color")
    assert table.nvec.tolist() == [2, 256, 256, 2, 3, len(palette)]
    assert table.relevant.tolist() == [[True, True, False, False, False, False], [True] * 6]


def test_a_move_needs_flag_and_end_only():
    table = action_table(config(channels=3))
    actions = np.array([action(MOVE, red=0, green=0, blue=0), action(PAINT, red=0, green=0, blue=0)])
    assert table.relevant[actions[:, 0]].tolist() == [[True, True] + [False] * 6, [True] * 8]
    assert table.relevant[MOVE].tolist() == [True, True] + [False] * 6


@pytest.mark.parametrize(
    "colors",
    [{"channels": 1}, {"channels": 3}, {"channels": 1, "palette": GREYS}, {"channels": 3, "palette": PALETTE}],
    ids=["grey", "rgb", "greys", "palette"],
)
@pytest.mark.parametrize("pressure_controls", ["opacity", "width", "taper"])
def test_masked_parts_change_no_pixel_and_relevant_ones_do(colors, pressure_controls):
    """Turns each part of the second of three actions in turn and looks at the canvas."""
    settings = config(**colors, pressure_controls=pressure_controls)
    rng = np.random.default_rng(5)
    table = action_table(settings)
    for flag in (MOVE, PAINT):
        episode = rng.integers(0, table.nvec, (3, len(table.parts)))
        episode[:, 0] = PAINT, flag, PAINT
        for part, relevant in list(enumerate(table.relevant[flag]))[1:]:
            canvases = set()
            for value in range(int(table.nvec[part])) if table.nvec[part] < 10 else (0, 5, 200):
                episode[1, part] = value
                easel = Easel(settings, 1)
                for row in episode:
                    easel.paint(row[np.newaxis])
                canvases.add(easel.canvases().tobytes())
            assert (len(canvases) > 1) == relevant, table.parts[part]


def test_cells_are_row_times_k_plus_column_and_cover_the_edges():
    points = action_table(config()).cell_points
    assert points.dtype == np.float32 and points.shape == (GRID * GRID, 2)
    np.testing.assert_allclose(points[cell(column=3, row=7)], [3 / 15, 7 / 15], rtol=1e-6)
    assert points[0].tolist() == [0, 0]
    assert points[cell(column=15, row=0)].tolist() == [1, 0]
    assert points[-1].tolist() == [1, 1]


def test_the_pen_moves_to_column_3_row_7_and_not_the_other_way_round():
    """Both published environments of this kind once mistook x for y."""
    easel = Easel(config(width=96, height=64), 1)
    place = cell(column=3, row=7)
    easel.paint(np.array([action(MOVE, end=place)]))
    easel.paint(np.array([action(PAINT, end=place, control=place, pressure=2)]))
    rows, columns = np.nonzero(easel.canvases()[0, :, :, 0] < 128)
    np.testing.assert_allclose(columns.mean() + 0.5, 96 * 3 / 15, atol=0.5)
    np.testing.assert_allclose(rows.mean() + 0.5, 64 * 7 / 15, atol=0.5)


def test_a_stroke_runs_from_the_pen_through_control_to_end():
    first, second = strokes(
        action(end=cell(15, 0), control=cell(0, 15)), action(end=cell(5, 10), control=cell(2, 3)), start=(0.5, 0.25)
    )
    assert (first.start, first.control, first.end) == ((0.5, 0.25), (0, 1), (1, 0))
    assert second.start == first.end
    np.testing.assert_allclose([*second.control, *second.end], [2 / 15, 3 / 15, 5 / 15, 10 / 15])


def test_a_stroke_after_a_move_starts_where_the_pen_was_put():
    (stroke,) = strokes(action(MOVE, end=MIDDLE, control=9), action(PAINT, end=0))
    np.testing.assert_allclose(stroke.start, [8 / 15, 7 / 15])


def test_a_stroke_knows_its_action():
    (stroke,) = strokes(action(MOVE, end=3), action(PAINT, end=4, control=5, size=1, pressure=2))
    assert stroke.action == (1, 4, 5, 1, 2)


def test_size_is_the_width_of_the_brush():
    assert [strokes(action(size=size))[0].brush.width for size in (0, 1)] == list(SIZES)


def test_pressure_as_opacity():
    (stroke,) = strokes(action(size=1, pressure=1), pressure_controls="opacity")
    assert (stroke.brush.width, stroke.brush.opacity, stroke.brush.pressure) == (0.3, 0.5, (1, 1))


def test_pressure_as_width():
    (stroke,) = strokes(action(size=1, pressure=1), pressure_controls="width")
    assert (stroke.brush.width, stroke.brush.opacity, stroke.brush.pressure) == (0.15, 1, (1, 1))


def test_pressure_as_taper_runs_from_the_last_level_to_this_one():
    episode = [action(pressure=1), action(pressure=0), action(MOVE, pressure=2), action(pressure=2), action(pressure=0)]
    brushes = [stroke.brush for stroke in strokes(*episode, pressure_controls="taper")]
    assert [brush.pressure for brush in brushes] == [(0.5, 0.5), (0.5, 0.25), (1, 1), (1, 0.25)]
    assert {(brush.width, brush.opacity) for brush in brushes} == {(0.1, 1)}


def test_colour_levels_run_from_0_to_1():
    (stroke,) = strokes(action(red=0, green=4, blue=1), channels=3)
    assert stroke.brush.color == (0, 1, 0.25)


def test_without_colour_levels_a_stroke_has_the_colour_of_the_ink():
    (grey,) = strokes(action(), ink=(0.5, 0.5, 0.5))
    (rgb,) = strokes(action(red=0, green=0, blue=0), channels=3, color_levels=1, ink=(0.1, 0.2, 0.3))
    assert grey.brush.color == (0.5, 0.5, 0.5)
    assert rgb.brush.color == (0.1, 0.2, 0.3)


@pytest.mark.parametrize(("channels", "palette"), [(1, GREYS), (3, PALETTE)])
def test_strokes_have_exactly_the_colours_of_the_palette(channels, palette):
    painted = strokes(*(action(color=pen) for pen in (2, 0, 1)), channels=channels, palette=palette)
    assert [stroke.brush.color for stroke in painted] == [palette[2], palette[0], palette[1]]


def test_one_pen_of_opaque_ink():
    painted = strokes(action(), action(end=MIDDLE), sizes=(0.08,), pressures=(1.0,), pressure_controls="width")
    assert {stroke.brush for stroke in painted} == {Brush(0.08)}


# On paper.

NEXT = cell(1, 0)  # 5 mm to the right of the pen's start, where 15 cells span 75 mm
FIVE = {"picture_mm": 75.0, "minimum_mm": 5.0}


def ends(*actions, **options):
    return [stroke.end for stroke in strokes(*actions, **options)]


def test_the_shorter_side_is_as_long_as_the_picture():
    for width, height, mm in [(32, 32, [80, 80]), (48, 32, [120, 80]), (32, 64, [80, 160])]:
        assert action_table(config(width=width, height=height, picture_mm=80.0)).mm.tolist() == mm


def test_a_stroke_shorter_than_the_minimum_leaves_no_ink_and_moves_the_pen():
    short, long = action(end=NEXT, control=NEXT), action(end=MIDDLE)
    first, second = strokes(short, long, picture_mm=75.0, minimum_mm=5.1), strokes(short, long, picture_mm=75.0)
    assert len(first) == 1 and first == second[1:]
    assert first[0].start == (1 / 15, 0)


def test_a_stroke_of_just_the_minimum_is_long_enough():
    for column in range(15):  # in floats some of these are a bit more than 5 mm, some a bit less
        (stroke,) = strokes(action(MOVE, end=column), action(end=column + 1, control=column + 1), **FIVE)
        assert stroke.end == (ends(action(end=column + 1))[0])


def test_the_length_is_that_of_the_curve_not_of_its_chord():
    round_trip = action(end=cell(0, 0), control=cell(2, 0))
    assert len(strokes(round_trip, **FIVE)) == 1  # out to half the way to its control point, and back: 2 * 5 mm
    assert len(strokes(round_trip, picture_mm=75.0, minimum_mm=10.1)) == 0
    assert len(strokes(action(), **FIVE)) == 0  # a dot


def test_the_length_is_in_mm_on_a_canvas_that_is_not_square():
    across, down = (action(end=place, control=place) for place in (cell(1, 0), cell(0, 1)))
    wide = {"width": 64, "height": 32, "picture_mm": 75.0, "minimum_mm": 9.0}
    assert len(strokes(across, **wide)) == 1 and len(strokes(down, **wide)) == 0


def test_after_a_stroke_too_short_the_pen_is_lifted():
    episode = [action(end=MIDDLE, pressure=1), action(end=MIDDLE, control=MIDDLE, pressure=0), action(pressure=2)]
    painted = strokes(*episode, pressure_controls="taper", **FIVE)
    assert [stroke.brush.pressure for stroke in painted] == [(0.5, 0.5), (1, 1)]
    assert painted[1].start == painted[0].end


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([[1, 256, 0, 0, 0]], "part 'end' of action 0 is 256; accepted: 0 to 255"),
        ([[0, 0, 0, 0, 0], [1, 0, 0, 0, -1]], "part 'pressure' of action 1 is -1; accepted: 0 to 2"),
        ([[0, 0, 0, 0]], r"actions are int64 \[1, 4\]; accepted: integers \[1, 5\], one column for each of flag, end"),
        ([0, 0, 0, 0, 0], r"actions are int64 \[5\]; accepted: integers \[1, 5\]"),
        ([[0.0, 0, 0, 0, 0]], r"actions are float64 \[1, 5\]; accepted: integers"),
        ([[np.nan, 0, 0, 0, 0]], r"actions are float64 \[1, 5\]; accepted: integers"),
    ],
)
def test_an_action_that_does_not_fit_is_refused_by_name(actions, message):
    with pytest.raises(InputError, match=message):
        action_table(config()).checked(np.array(actions), count=len(actions) if np.ndim(actions) == 2 else 1)


def test_recorded_actions_do_not_share_memory_with_the_caller():
    table = action_table(config())
    actions = np.array([action()])
    assert not np.shares_memory(table.checked(actions, 1), actions)
