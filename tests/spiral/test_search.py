"""Greedy search for the actions that paint a given picture."""

import numpy as np
import pytest

from spiral.config import EnvConfig
from spiral.datasets import load_pictures
from spiral.envs.actions import FLAG, PAINT, action_table
from spiral.envs.paint import PaintEnv
from spiral.errors import InputError
from spiral.metrics import squared_errors
from spiral.program import Program, matches_checksum, replay
from spiral.search import search

SMALL = EnvConfig(width=24, height=16, grid=6, episode_length=4, sizes=(0.1, 0.2), pressures=(0.5, 1.0))


def digits(env, count):
    return load_pictures("digits", "test", **env.picture).images[:: 1000 // count][:count]


def error_after(env, picture, actions):
    """Mean squared error of the canvas these actions leave, pixel by pixel, and the actions' program."""
    paint_env = PaintEnv(env, targets=picture[np.newaxis])
    observation, _ = paint_env.reset()
    for action in actions:
        observation, *_ = paint_env.step(action)
    pixels = zip(observation["canvas"].ravel().tolist(), picture.ravel().tolist(), strict=True)
    return np.mean([((painted - wanted) / 255) ** 2 for painted, wanted in pixels]), paint_env.unwrapped.program()


def search_literally(env, picture, candidates, chance):
    """Every candidate is painted in an episode of its own, from a blank canvas on."""
    nvec = PaintEnv(env).action_space.nvec
    taken, errors = [], []
    for _ in range(env.episode_length):
        drawn = chance.integers(0, nvec, (candidates, len(nvec)))
        tried = [error_after(env, picture, [*taken, action])[0] for action in drawn]
        taken.append(drawn[tried.index(min(tried))])
        errors.append(min(tried))
    return error_after(env, picture, taken)[1], errors


@pytest.mark.parametrize("channels", [1, 3])
def test_it_finds_what_a_literal_search_finds(channels):
    env = EnvConfig(**{**vars(SMALL), "channels": channels, "color_levels": 4})
    pictures = np.random.default_rng(0).integers(0, 256, (2, 16, 24, channels), np.uint8)
    found = search(env, pictures, candidates=6, seed=3)
    for number, picture in enumerate(pictures):
        program, errors = search_literally(env, picture, 6, np.random.default_rng([3, number]))
        assert found.programs[number].strokes == program.strokes
        assert found.errors[number] == pytest.approx(errors, rel=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        {"pressure_controls": "opacity"},
        {"channels": 3, "palette": ((0.0, 0.0, 0.0), (1.0, 0.2, 0.0)), "minimum_mm": 20.0},
        {"background": (0.0, 0.0, 0.0), "ink": (1.0, 1.0, 1.0), "episode_length": 1},
    ],
)
def test_the_programs_replay_byte_for_byte_to_the_canvases(options):
    env = EnvConfig(**{**vars(SMALL), **options})
    pictures = digits(env, 3)
    found = search(env, pictures, 20, seed=7)
    for program, canvas in zip(found.programs, found.canvases, strict=True):
        program = Program.from_json(program.to_json())
        np.testing.assert_array_equal(replay(program), canvas)
        assert matches_checksum(program)
        assert program.seed == 7
        assert program.origin == "greedy search, the best of 20 for each action"
    assert found.errors[:, -1] == pytest.approx(squared_errors(found.canvases, pictures), rel=1e-12)


def test_the_error_falls_with_the_candidates_and_with_every_action():
    env = EnvConfig(**{**vars(SMALL), "episode_length": 8})
    pictures = digits(env, 5)
    errors = [search(env, pictures, candidates).errors for candidates in (1, 10, 100)]
    assert [found.shape for found in errors] == 3 * [(5, 8)]
    one, ten, hundred = (found[:, -1].mean() for found in errors)
    assert hundred < 0.9 * ten < 0.81 * one
    assert (np.diff(errors[2], axis=1) <= 0).all()  # of a hundred, some only move the pen


def test_a_seed_gives_the_same_paintings_however_many_are_asked_for():
    pictures = digits(SMALL, 4)
    all_four, two, others = (
        search(SMALL, pictures, 15, 1),
        search(SMALL, pictures[:2], 15, 1),
        search(SMALL, pictures, 15, 2),
    )
    assert all_four.programs[:2] == two.programs
    np.testing.assert_array_equal(all_four.canvases[:2], two.canvases)
    assert all_four.programs != others.programs
    same = search(SMALL, pictures[[0, 0]], 15, 1)
    assert same.programs[0] != same.programs[1]  # each picture has its own chance


def test_where_no_stroke_is_worth_its_ink_the_pen_only_moves():
    found = search(SMALL, np.full((1, 16, 24, 1), 255, np.uint8), 30)
    assert found.programs[0].strokes == () and (found.errors == 0).all()


def test_a_single_candidate_is_taken_even_where_it_does_harm():
    found = search(SMALL, np.full((6, 16, 24, 1), 255, np.uint8), 1)
    drawn = [np.random.default_rng([0, number]).integers(0, action_table(SMALL).nvec) for number in range(6)]
    assert [errors[0] > 0 for errors in found.errors] == [action[FLAG] == PAINT for action in drawn]


def test_it_can_be_watched():
    watched = []

    def watch(items, count):
        for item in items:
            watched.append((item, count))
            yield item

    search(SMALL, digits(SMALL, 2), 2, watch=watch)
    assert watched == [(0, 2), (1, 2)]


@pytest.mark.parametrize("candidates", [0, -1, 10_001, 2.5, True])
def test_numbers_of_candidates_that_are_refused(candidates):
    with pytest.raises(InputError, match=f"candidates must be a whole number from 1 to 10000, got {candidates}"):
        search(SMALL, digits(SMALL, 1), candidates)


@pytest.mark.parametrize(
    ("pictures", "got"),
    [
        (np.zeros((1, 16, 16, 1), np.uint8), r"uint8 \[1, 16, 16, 1\]"),
        (np.zeros((1, 16, 24, 1)), r"float64 \[1, 16, 24, 1\]"),
        (np.zeros((0, 16, 24, 1), np.uint8), r"uint8 \[0, 16, 24, 1\]"),
        (np.zeros((16, 24, 1), np.uint8), r"uint8 \[16, 24, 1\]"),
    ],
)
def test_pictures_that_do_not_fit(pictures, got):
    with pytest.raises(
        InputError, match=rf"pictures are {got}; accepted: uint8 \[N, 16, 24, 1\], N at least 1, the size"
    ):
        search(SMALL, pictures, 5)
