"""Painting on N canvases: they do not disturb each other, and their programs replay to the same bytes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiral.config import EnvConfig
from spiral.envs.actions import FLAG, MOVE, PAINT
from spiral.envs.easel import ENVIRONMENT, Easel
from spiral.errors import InputError
from spiral.geometry import Point, arc_length
from spiral.metrics import pen_lifts, pen_travel
from spiral.program import Program, matches_checksum, replay
from spiral.renderers import RENDERERS
from spiral.stroke import Brush, Stroke


def random_actions(easel, steps, seed=0):
    """int64 [steps, N, parts]"""
    nvec = easel.table.nvec
    return np.random.default_rng(seed).integers(0, nvec, (steps, len(easel), len(nvec)))


def painted(easel, actions):
    for step in actions:
        easel.paint(step)
    return easel


@settings(deadline=None, max_examples=40)
@given(
    pressure_controls=st.sampled_from(["opacity", "width", "taper"]),
    channels=st.sampled_from([1, 3]),
    width=st.integers(16, 80),
    height=st.integers(16, 80),
    grid=st.integers(2, 64),
    background=st.sampled_from([0.0, 0.3, 1.0]),
    start=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    palette=st.sampled_from([None, ((0.2,) * 3, (0.7,) * 3)]),
    minimum_mm=st.sampled_from([0.0, 40.0]),
    strokes=st.sampled_from(["simple", "compound"]),
    renderer=st.sampled_from(["cairo", "cairo@3"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_program_replays_byte_for_byte_also_through_its_file(background, seed, **options):
    easel = Easel(EnvConfig(background=(background,) * 3, ink=(0.6,) * 3, **options), 2)
    painted(easel, random_actions(easel, 6, seed))
    for index, canvas in enumerate(easel.canvases()):
        program = Program.from_json(easel.program(index).to_json())
        np.testing.assert_array_equal(replay(program), canvas)
        assert matches_checksum(program)


@pytest.mark.parametrize("channels", [1, 3])
def test_canvases_side_by_side_do_not_disturb_each_other(channels):
    together = Easel(EnvConfig(channels=channels, grid=16), 5)
    actions = random_actions(together, 8)
    painted(together, actions)
    for index in range(5):
        alone = Easel(EnvConfig(channels=channels, grid=16), 1)
        painted(alone, actions[:, index : index + 1])
        np.testing.assert_array_equal(alone.canvases()[0], together.canvases()[index])
        assert alone.strokes(0) == together.strokes(index)


@pytest.mark.parametrize(("width", "height"), [(16, 16), (1024, 1024), (16, 1024), (1000, 33), (65, 64)])
@pytest.mark.parametrize("channels", [1, 3])
def test_sizes_from_16_to_1024_square_or_not(width, height, channels):
    easel = Easel(EnvConfig(width=width, height=height, channels=channels), 1)
    assert easel.canvases().shape == (1, height, width, channels)
    painted(easel, random_actions(easel, 4) | np.eye(len(easel.table.parts), dtype=int)[FLAG])
    assert (easel.canvases() != 255).any()
    np.testing.assert_array_equal(replay(easel.program(0)), easel.canvases()[0])


@pytest.mark.parametrize(("pressure_controls", "renderer"), [("taper", "cairo"), ("width", "cairo@2")])
def test_all_canvases_go_on_from_one(pressure_controls, renderer):
    easel = Easel(EnvConfig(channels=3, grid=16, pressure_controls=pressure_controls, renderer=renderer), 4)
    before, after = random_actions(easel, 5), random_actions(easel, 3, seed=1)
    easel.draw(2, [Stroke((0.1, 0.2), (0.5, 0.5), (0.3, 0.9), Brush(0.1))])
    given = easel.program(2)
    painted(easel, before)
    easel.continue_from(2)
    assert (easel.pens == easel.pens[2]).all() and (easel.previous == before[-1, 2]).all()
    painted(easel, after)
    for index, canvas in enumerate(easel.canvases()):
        program = easel.program(index)
        np.testing.assert_array_equal(replay(program), canvas)
        assert matches_checksum(program)
        actions = [stroke.action for stroke in program.strokes[1:]]
        expected = np.concatenate([before[:, 2], after[:, index]])
        assert actions == [tuple(action) for action in expected.tolist() if action[FLAG] == PAINT]
        assert easel.lifts[index] == easel.lines[index] == pen_lifts(program)
        assert easel.length[index] == pytest.approx(length(program) - length(given), abs=1e-4)
        assert easel.travel[index] == pytest.approx(pen_travel(program, easel.config.picture_mm))


def test_a_blank_canvas_has_the_background_and_clear_restores_it():
    easel = Easel(EnvConfig(channels=3, background=(1.0, 0.0, 0.2)), 2)
    assert (easel.canvases() == (255, 0, 51)).all()
    painted(easel, random_actions(easel, 5))
    easel.clear()
    assert (easel.canvases() == (255, 0, 51)).all()
    assert easel.step == 0 and easel.strokes(0) == [] and not easel.previous.any()


def test_state_after_each_action():
    easel = Easel(EnvConfig(grid=3, start=(0.25, 0.75)), 2)
    assert easel.pens.dtype == np.float32 and easel.pens.tolist() == [[0.25, 0.75]] * 2
    assert easel.previous.tolist() == [[0] * 5] * 2
    actions = np.array([[MOVE, 5, 0, 0, 0], [PAINT, 6, 1, 2, 3]])
    easel.paint(actions)
    assert easel.pens.tolist() == [[1, 0.5], [0, 1]]
    assert easel.previous.tolist() == actions.tolist()
    assert easel.step == 1
    easel.paint(actions[::-1])
    assert easel.previous.tolist() == actions[::-1].tolist()
    assert easel.step == 2


def test_the_array_of_actions_may_be_used_again_by_the_caller():
    easel = Easel(EnvConfig(grid=3), 1)
    actions = np.array([[PAINT, 5, 4, 3, 3]])
    easel.paint(actions)
    actions[:] = 0
    assert easel.strokes(0)[0].action == (PAINT, 5, 4, 3, 3)


def test_the_program_says_what_it_was_painted_on():
    easel = Easel(EnvConfig(width=48, height=32, channels=3, background=(0.2, 0.4, 0.6)), 1)
    program = painted(easel, random_actions(easel, 3)).program(0, seed=7, origin="test")
    assert (program.environment, program.renderer, program.seed, program.origin) == (ENVIRONMENT, "cairo", 7, "test")
    assert (program.canvas.width, program.canvas.height, program.canvas.channels) == (48, 32, 3)
    assert program.canvas.background == (0.2, 0.4, 0.6)


@pytest.mark.parametrize("renderer", [*RENDERERS.names(), "cairo@4"])
def test_every_renderer_paints_and_replays(renderer):
    easel = Easel(EnvConfig(width=24, height=16, channels=3, renderer=renderer), 2)
    painted(easel, random_actions(easel, 3) | np.eye(8, dtype=int)[FLAG])
    program = easel.program(1)
    assert program.renderer == renderer
    assert (easel.canvases() != 255).any(axis=(1, 2, 3)).all()
    np.testing.assert_array_equal(replay(program), easel.canvases()[1])


def test_given_strokes_head_the_program_and_leave_the_pen_at_their_end():
    easel = Easel(EnvConfig(grid=16), 2)
    given = Stroke(Point(0.1, 0.1), Point(0.5, 0.9), Point(0.9, 0.1), Brush(0.1))
    easel.draw(1, [given])
    actions = random_actions(easel, 4) | np.eye(5, dtype=int)[FLAG]
    painted(easel, actions)
    assert easel.strokes(1)[0] == given and len(easel.strokes(1)) == 5
    assert easel.strokes(1)[1].start == (0.9, 0.1)
    assert easel.strokes(0)[0].start == (0, 0)
    assert len(easel.strokes(0)) == 4
    np.testing.assert_array_equal(replay(easel.program(1)), easel.canvases()[1])


@pytest.mark.parametrize("strokes", ["simple", "compound"])
def test_all_programs_at_once_are_those_one_by_one(strokes):
    easel = Easel(EnvConfig(grid=16, strokes=strokes, channels=3), 5)
    easel.draw(3, [Stroke(Point(0.1, 0.1), Point(0.5, 0.9), Point(0.9, 0.1), Brush(0.1))])
    painted(easel, random_actions(easel, 4))
    headers = [{"seed": index} for index in range(5)]
    programs = easel.programs(headers)
    assert programs == [easel.program(index, **header) for index, header in enumerate(headers)]
    assert len({program.strokes for program in programs}) == 5


# Pen lifts, travel, lines and length.

PENS = ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5))
A, B, C = 0, 2, 6  # corners of a 3 x 3 grid: (0, 0), (1, 0), (0, 1)


@settings(deadline=None, max_examples=40)
@given(
    grid=st.integers(2, 4),  # few cells, so that strokes often begin where another ended
    width=st.integers(16, 40),
    height=st.integers(16, 40),
    minimum_mm=st.sampled_from([0.0, 30.0]),
    strokes=st.sampled_from(["simple", "compound"]),
    colors=st.sampled_from([{}, {"palette": PENS}, {"channels": 3, "color_levels": 2}]),
    seed=st.integers(0, 2**32 - 1),
)
def test_figures_of_strokes_are_those_of_the_program(colors, seed, **options):
    easel = Easel(EnvConfig(picture_mm=70.0, episode_length=8, **colors, **options), 3)
    for actions in random_actions(easel, 8, seed):
        easel.paint(actions)
        programs = [easel.program(index) for index in range(3)]
        assert easel.lifts.tolist() == [pen_lifts(program) for program in programs]
        assert easel.lines.tolist() == [pen_lifts(program) + bool(program.strokes) for program in programs]
        np.testing.assert_allclose(easel.travel, [pen_travel(program, 70.0) for program in programs], rtol=1e-12)
        np.testing.assert_allclose(easel.length, [length(program) for program in programs], rtol=1e-5, atol=1e-5)


def length(program):
    """Of all strokes, in shorter sides of the canvas."""
    width, height = program.canvas.width, program.canvas.height
    sides = width / min(width, height), height / min(width, height)
    return sum(
        arc_length(*(Point(x * sides[0], y * sides[1]) for x, y in (s.start, s.control, s.end)), tolerance=1e-6)
        for s in program.strokes
    )


def painted_one(*actions, **options):
    easel = Easel(EnvConfig(grid=3, palette=PENS, picture_mm=50.0, **{"start": (0.5, 0.5), **options}), 1)
    counts = []
    for flag, end, color in actions:
        easel.paint(np.array([[flag, end, end, 0, 0, color]]))
        counts.append((int(easel.lifts[0]), float(easel.travel[0])))
    return counts


def test_a_lift_and_its_way_are_counted_as_the_next_stroke_begins():
    assert painted_one((PAINT, A, 0), (MOVE, B, 0), (MOVE, C, 0), (PAINT, B, 0), (MOVE, A, 0)) == [
        (0, 0),
        (0, 0),
        (0, 0),
        (1, 50),  # straight from A to C, not by way of B
        (1, 50),  # nothing follows
    ]


def test_the_way_to_the_first_stroke_is_free():
    assert painted_one((MOVE, A, 0), (PAINT, B, 0), (PAINT, C, 0))[-1] == (0, 0)


def test_a_stroke_that_goes_on_where_the_last_one_ended_needs_no_lift():
    assert painted_one((PAINT, A, 0), (MOVE, B, 0), (MOVE, A, 1), (PAINT, B, 0))[-1] == (0, 0)


def test_another_pen_is_a_lift_without_a_way():
    assert painted_one((PAINT, A, 0), (PAINT, B, 1), (PAINT, C, 1), (PAINT, A, 0))[-1] == (2, 0)


def test_a_stroke_too_short_is_a_move():
    tall = {"width": 16, "height": 32, "start": (1.0, 1.0), "minimum_mm": 60.0}  # across are 50 mm, down are 100
    assert painted_one((PAINT, B, 0), (PAINT, A, 0), (PAINT, C, 0), **tall) == [(0, 0), (0, 0), (1, 50)]


def test_what_is_painted_before_given_strokes_is_counted_before_them():
    easel = Easel(EnvConfig(grid=8), 1)
    painted(easel, random_actions(easel, 6) | [1, 0, 0, 0, 0])
    easel.draw(0, [Stroke(Point(0.9, 0.1), Point(0.9, 0.1), Point(0.1, 0.3), Brush(0.1))])
    lifts = int(easel.lifts[0])
    painted(easel, random_actions(easel, 1, seed=1) | [1, 0, 0, 0, 0])  # from where the given stroke ends
    assert easel.lifts[0] == lifts
    easel.draw(0, [Stroke(Point(0.9, 0.1), Point(0.9, 0.1), Point(0.1, 0.3), Brush(0.1))])
    assert easel.lifts[0] == lifts
    painted(easel, random_actions(easel, 1, seed=2) & [0, -1, -1, -1, -1])
    painted(easel, random_actions(easel, 1, seed=3) | [1, 0, 0, 0, 0])
    assert easel.lifts[0] == lifts + 1


def test_a_new_canvas_has_no_lifts():
    easel = Easel(EnvConfig(grid=3), 2)
    painted(easel, random_actions(easel, 6) | np.eye(5, dtype=int)[FLAG])
    easel.paint(np.array([[MOVE, A, 0, 0, 0], [MOVE, B, 0, 0, 0]]))
    easel.paint(np.array([[PAINT, C, 0, 0, 0]] * 2))
    assert easel.lifts.any() and easel.travel.any()
    easel.clear()
    easel.paint(np.array([[PAINT, B, 0, 0, 0]] * 2))
    assert not easel.lifts.any() and not easel.travel.any()


def test_canvases_are_a_copy():
    easel = Easel(EnvConfig(), 1)
    easel.canvases()[:] = 0
    assert (easel.canvases() == 255).all()


def test_one_action_for_each_canvas():
    easel = Easel(EnvConfig(), 3)
    with pytest.raises(InputError, match=r"actions are int64 \[2, 5\]; accepted: integers \[3, 5\]"):
        easel.paint(np.zeros((2, 5), np.int64))
