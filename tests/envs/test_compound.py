"""Compound strokes: several actions, one spline, in programs a chain of strokes."""

import numpy as np
import pytest

from spiral.config import EnvConfig
from spiral.envs.actions import LAST, MOVE, PAINT, SPLINE_TOLERANCE, action_table
from spiral.envs.easel import Easel
from spiral.envs.paint import PaintEnv
from spiral.envs.spline import spline_curves
from spiral.metrics import pen_lifts
from spiral.program import replay
from spiral.stroke import Brush

GRID = 5
SETTINGS = {"grid": GRID, "strokes": "compound", "sizes": (0.1, 0.3), "pressures": (0.5, 1.0), "episode_length": 8}
CENTRE = 12
RING = (0, 2, 4, 14, 24, 22, 20, 10)


def config(**options):
    return EnvConfig(**{**SETTINGS, **options})


def action(flag, end, size=0, pressure=0, *color):
    return [flag, end, size, pressure, *color]


def painted(*actions, **options):
    easel = Easel(config(**options), 1)
    for row in actions:
        easel.paint(np.array([row]))
    return easel


def strokes(*actions, **options):
    return painted(*actions, **options).strokes(0)


def spline(*cells):
    points = action_table(config()).cell_points[list(cells)].astype(float)
    return spline_curves(points, np.ones(2), SPLINE_TOLERANCE).tolist()


def chain(painted):
    return [[list(point) for point in (stroke.start, stroke.control, stroke.end)] for stroke in painted]


def test_parts_and_what_matters():
    table = action_table(config(channels=3, color_levels=3))
    assert table.parts == ("flag", "end", "size", "pressure", "red", "green", "blue")
    assert table.nvec.tolist() == [3, 25, 2, 2, 3, 3, 3]
    assert table.relevant[MOVE].tolist() == [True] * 7
    assert table.relevant[PAINT].tolist() == table.relevant[LAST].tolist() == [True, True] + [False] * 5


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_points_up_to_the_last_are_one_spline(count):
    points = [action(PAINT, cell) for cell in RING[1:count]]
    easel = painted(*points)
    assert easel.strokes(0) == [] and (easel.canvases() == 255).all(), "nothing is drawn before it is ended"
    easel.paint(np.array([action(LAST, CENTRE)]))
    assert chain(easel.strokes(0)) == spline(0, *RING[1:count], CENTRE)
    assert (easel.canvases() != 255).any()


def test_the_next_stroke_begins_where_the_last_one_ended():
    first, second = strokes(action(LAST, 4), action(LAST, 24))
    assert first.end == second.start == (1, 0)
    assert pen_lifts(painted(action(PAINT, 4), action(LAST, 2), action(PAINT, 9), action(LAST, 24)).program(0)) == 0


def test_a_move_draws_what_is_under_way_and_puts_the_pen_elsewhere():
    moved = strokes(action(PAINT, 2), action(PAINT, 24), action(MOVE, 20), action(LAST, 24))
    assert chain(moved) == spline(0, 2, 24) + spline(20, 24)
    assert strokes(action(MOVE, 20), action(MOVE, 3)) == []


def test_an_unfinished_stroke_is_drawn_with_the_last_action():
    actions = [action(PAINT, cell) for cell in RING]
    easel = painted(*actions[:-1])
    assert easel.strokes(0) == []
    easel.paint(np.array([actions[-1]]))
    assert chain(easel.strokes(0)) == spline(0, *RING)


def test_with_the_last_action_too_the_pen_may_be_moved():
    actions = [action(PAINT, cell) for cell in RING[:-1]]
    assert chain(strokes(*actions, action(MOVE, 3))) == spline(0, *RING[:-1])


def test_the_pen_is_where_the_last_action_put_it():
    easel, seen = Easel(config(start=(0.25, 0.75)), 1), []
    for flag, cell in ((PAINT, 4), (PAINT, 20), (LAST, 24), (MOVE, CENTRE)):
        seen += easel.pens.tolist()
        easel.paint(np.array([action(flag, cell)]))
    assert [*seen, *easel.pens.tolist()] == [[0.25, 0.75], [1, 0], [0, 1], [1, 1], [0.5, 0.5]]
    assert easel.strokes(0)[0].start == (0.25, 0.75)


@pytest.mark.parametrize("pressure_controls", ["width", "taper"])
def test_the_brush_is_the_one_chosen_with_the_last_move(pressure_controls):
    actions = [
        action(LAST, 4, 1, 1, 2, 2, 2),  # before the first move it has the first levels
        action(MOVE, 0, 1, 0, 0, 1, 2),
        action(PAINT, 4, 0, 1, 2, 2, 2),
        action(LAST, 24, 0, 1, 2, 2, 2),
        action(LAST, 20, 0, 1, 2, 2, 2),
        action(MOVE, 0, 0, 1, 2, 0, 0),
        action(LAST, 24, 1, 0, 1, 1, 1),
    ]
    painted = strokes(*actions, channels=3, color_levels=3, pressure_controls=pressure_controls)
    chosen = [(0.1, 0.5, (0, 0, 0)), (0.3, 0.5, (0, 0.5, 1)), (0.3, 0.5, (0, 0.5, 1)), (0.1, 1.0, (1, 0, 0))]
    if pressure_controls == "width":
        brushes = [Brush(size * pressure, color) for size, pressure, color in chosen]
    else:
        brushes = [Brush(size, color, pressure=(pressure, pressure)) for size, pressure, color in chosen]
    assert [stroke.brush for stroke in painted] == brushes


def test_colours_of_a_palette():
    palette = ((0.0, 0.0, 0.0), (0.2, 0.4, 0.6), (1.0, 0.0, 0.0))
    painted = strokes(action(MOVE, 0, 0, 0, 2), action(LAST, 4, 0, 0, 1), channels=3, palette=palette)
    assert [stroke.brush.color for stroke in painted] == [palette[2]]


def test_strokes_know_the_action_they_were_drawn_with():
    painted = strokes(action(PAINT, 4), action(PAINT, 24), action(PAINT, 20), action(LAST, 0))
    assert len(painted) > 1 and {stroke.action for stroke in painted} == {(LAST, 0, 0, 0)}


@pytest.mark.parametrize(("minimum_mm", "kept"), [(49.9, 2), (99.9, 1), (100.1, 0)])
def test_a_stroke_that_is_shorter_than_the_minimum_as_a_whole_leaves_no_ink(minimum_mm, kept):
    short = [action(PAINT, 1), action(LAST, 2)]  # 50 mm
    long = [action(MOVE, 0), *(action(PAINT, cell) for cell in (1, 2, 3)), action(LAST, 4)]  # 100, in several links
    painted = strokes(*short, *long, minimum_mm=minimum_mm)
    assert chain(painted) == spline(0, 1, 2) * (kept > 1) + spline(0, 1, 2, 3, 4) * (kept > 0)


def test_masked_parts_change_no_pixel_and_relevant_ones_do():
    """Turns each part of the second of four actions in turn and looks at the canvas."""
    settings = config(channels=3, color_levels=3, episode_length=4)
    table = action_table(settings)
    for flag in (MOVE, PAINT, LAST):
        episode = np.random.default_rng(7).integers(0, table.nvec, (4, len(table.parts)))
        episode[:, 0] = PAINT, flag, PAINT, LAST
        for part, relevant in list(enumerate(table.relevant[flag]))[1:]:
            canvases = set()
            for value in range(table.nvec[part]):
                episode[1, part] = value
                easel = Easel(settings, 1)
                for row in episode:
                    easel.paint(row[np.newaxis])
                canvases.add(easel.canvases().tobytes())
            assert (len(canvases) > 1) == relevant, (flag, table.parts[part])


def test_canvases_side_by_side_do_not_disturb_each_other():
    settings = config(episode_length=12)
    together = Easel(settings, 5)
    nvec = together.table.nvec
    episode = np.random.default_rng(0).integers(0, nvec, (12, 5, len(nvec)))
    for step in episode:
        together.paint(step)
    assert len({len(together.strokes(index)) for index in range(5)}) > 1
    for index in range(5):
        alone = painted(*episode[:, index], episode_length=12)
        assert np.array_equal(alone.canvases()[0], together.canvases()[index])
        assert alone.strokes(0) == together.strokes(index)


def test_all_canvases_go_on_from_one_with_its_stroke_under_way():
    easel = Easel(config(), 3)
    easel.paint(np.array([action(MOVE, cell, 1, 1) for cell in (0, 4, 20)]))
    easel.paint(np.array([action(PAINT, cell) for cell in (6, 8, 18)]))
    easel.continue_from(1)
    easel.paint(np.array([action(LAST, cell) for cell in (0, 12, 24)]))
    for index, cell in enumerate((0, 12, 24)):
        assert chain(easel.strokes(index)) == spline(4, 8, cell)
        assert easel.strokes(index)[0].brush.width == 0.3
        assert np.array_equal(replay(easel.program(index)), easel.canvases()[index])


def test_a_cleared_easel_has_forgotten_the_stroke_under_way():
    easel = painted(action(MOVE, 3, 1, 1), action(PAINT, 7), action(PAINT, 9))
    easel.clear()
    easel.paint(np.array([action(LAST, 4)]))
    assert chain(easel.strokes(0)) == spline(0, 4) and easel.strokes(0)[0].brush.width == 0.1


def test_an_episode_of_the_environment_ends_with_all_of_it_drawn():
    env = PaintEnv(**SETTINGS, width=32, height=24)
    for seed in range(20):
        env.reset(seed=seed)
        env.action_space.seed(seed)
        for _ in range(8):
            observation, _, done, _, info = env.step(env.action_space.sample())
            assert np.array_equal(replay(env.program()), observation["canvas"])
        assert done and np.array_equal(replay(info["program"]), observation["canvas"])
