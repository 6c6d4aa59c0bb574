"""``PaintVectorEnv``: N episodes in lock-step, the same numbers as N environments one by one."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from spiral.envs.paint import PaintEnv
from spiral.envs.vector import PaintVectorEnv
from spiral.errors import InputError
from spiral.program import replay

SMALL = {"width": 32, "height": 24, "grid": 8, "episode_length": 4}
TARGETS = np.random.default_rng(0).integers(0, 256, (5, 24, 32, 1), np.uint8)
CONFIGURATIONS = [
    SMALL,
    {**SMALL, "channels": 3, "pressure_controls": "opacity", "noise_size": 0},
    {**SMALL, "targets": TARGETS, "labels": [0, 1, 2, 3, 9], "reward": "l2"},
    {**SMALL, "palette": ((0.0,) * 3, (0.5,) * 3), "minimum_mm": 30.0, "lift_cost": 0.3, "travel_cost": 0.02},
    {**SMALL, "strokes": "compound", "stroke_cost": 0.1, "length_cost": 0.2, "blank_cost": 0.5, "renderer": "cairo@2"},
]
NAMES = ["grey", "rgb", "targets", "plotter", "compound"]


def step_randomly(env, steps, seed=0):
    env.action_space.seed(seed)
    return [env.step(env.action_space.sample()) for _ in range(steps)]


@pytest.mark.parametrize("options", CONFIGURATIONS, ids=NAMES)
def test_same_numbers_as_single_environments(options):
    """Step by step beside Gymnasium's own vector of single environments, over two and a half episodes."""
    vector = PaintVectorEnv(3, **options)
    singles = SyncVectorEnv([lambda: PaintEnv(**options)] * 3, autoreset_mode=AutoresetMode.NEXT_STEP)
    assert vector.single_observation_space == singles.single_observation_space
    assert vector.observation_space == singles.observation_space
    assert vector.action_space == singles.action_space
    results = [[env.reset(seed=11)[0], *step_randomly(env, 11)] for env in (vector, singles)]
    for ours, theirs in zip(*(result[1:] for result in results), strict=True):
        assert_same(ours[0], theirs[0])
        for one, other in zip(ours[1:4], theirs[1:4], strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
    assert_same(results[0][0], results[1][0])
    assert vector.programs() == list(singles.call("program"))


def assert_same(ours, theirs):
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert ours[name].dtype == theirs[name].dtype
        np.testing.assert_array_equal(ours[name], theirs[name])


@pytest.mark.parametrize("options", CONFIGURATIONS, ids=NAMES)
def test_observations_are_in_the_space(options):
    env = PaintVectorEnv(3, **options)
    assert env.observation_space.contains(env.reset(seed=0)[0])
    for observation, rewards, terminations, truncations, _ in step_randomly(env, 6):
        assert env.observation_space.contains(observation)
        assert rewards.shape == terminations.shape == truncations.shape == (3,)


def test_all_episodes_end_together_and_the_next_step_resets():
    env = PaintVectorEnv(2, **SMALL)
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    env.reset(seed=0)
    results = step_randomly(env, 7)
    assert [result[2].tolist() for result in results] == [[False] * 2] * 3 + [[True] * 2] + [[False] * 2] * 3
    assert [int(result[0]["step"][0]) for result in results] == [1, 2, 3, 4, 0, 1, 2]
    ended, begun = results[3][0], results[4][0]
    assert (begun["canvas"] == 255).all() and not begun["previous"].any()
    assert not np.array_equal(begun["noise"], ended["noise"])


def test_programs_are_those_of_the_canvases():
    env = PaintVectorEnv(3, **SMALL)
    env.reset(seed=2)
    step_randomly(env, 4)
    for program, canvas, seed in zip(env.programs(), env.canvases(), (2, 3, 4), strict=True):
        assert np.array_equal(replay(program), canvas)
        assert program.seed == seed
    step_randomly(env, 1)
    assert [(program.strokes, program.seed) for program in env.programs()] == [((), None)] * 3


def test_what_was_handed_out_does_not_change_afterwards():
    env = PaintVectorEnv(2, **SMALL, targets=TARGETS)
    first, _ = env.reset(seed=0)
    kept = {name: values.copy() for name, values in first.items()}
    step_randomly(env, 3)
    assert_same(first, kept)


def test_writing_on_what_was_handed_out_changes_nothing():
    ours, other = (PaintVectorEnv(2, **SMALL, targets=TARGETS, labels=range(5), reward="l2") for _ in range(2))
    for values in ours.reset(seed=0)[0].values():
        values[:] = 0
    other.reset(seed=0)
    for result, expected in zip(step_randomly(ours, 3), step_randomly(other, 3), strict=True):
        assert_same(result[0], expected[0])
        np.testing.assert_array_equal(result[1], expected[1])
        for values in result[0].values():
            values[:] = 0


@pytest.mark.parametrize("seed", [5, [5, 6]])
def test_seeds(seed):
    env = PaintVectorEnv(2, **SMALL)
    first, _ = env.reset(seed=seed)
    assert not np.array_equal(*first["noise"])
    for index in range(2):
        np.testing.assert_array_equal(first["noise"][index], PaintEnv(**SMALL).reset(seed=5 + index)[0]["noise"])


def test_without_a_seed_the_streams_go_on():
    env = PaintVectorEnv(2, **SMALL)
    noise = [env.reset(seed=seed)[0]["noise"] for seed in (5, None, 5, None)]
    np.testing.assert_array_equal(noise[:2], noise[2:])
    assert not np.array_equal(noise[0], noise[1])


def test_reset_options_one_for_all_or_one_for_each():
    env = PaintVectorEnv(2, **SMALL, targets=TARGETS, labels=[0, 1, 2, 3, 4])
    observation, _ = env.reset(options={"canvas": TARGETS[0], "target": TARGETS[1:3], "label": [4, 2]})
    assert np.array_equal(observation["canvas"], TARGETS[[0, 0]])
    assert np.array_equal(observation["target"], TARGETS[[1, 2]])
    assert observation["label"].tolist() == [4, 2]
    assert env.reset(options={"label": 3})[0]["label"].tolist() == [3, 3]


def test_going_on_with_programs():
    env = PaintVectorEnv(2, **SMALL)
    env.reset(seed=0)
    step_randomly(env, 4)
    programs = env.programs()
    observation, _ = env.reset(options={"program": programs})
    assert np.array_equal(observation["canvas"], [replay(program) for program in programs])
    observation, _ = env.reset(options={"program": programs[1]})
    assert np.array_equal(observation["canvas"], [replay(programs[1])] * 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PaintVectorEnv(0, **SMALL), "num_envs must be a whole number from 1 to .*, got 0"),
        (lambda: PaintVectorEnv(2, gird=3), "unknown environment option 'gird'"),
        (lambda: PaintVectorEnv(2, render_mode="human"), "unknown render mode 'human'; known: rgb_array"),
        (lambda: PaintVectorEnv(2, **SMALL).reset(seed=-1), "seed must be a whole number from 0 to .*, got -1"),
        (lambda: PaintVectorEnv(2, **SMALL).reset(seed=[1, 0.5]), "seed must be a whole number from 0 to .*, got 0.5"),
        (lambda: PaintVectorEnv(2, **SMALL).reset(seed=[1]), "seed has 1 values; accepted: an integer, or one"),
        (
            lambda: PaintVectorEnv(2, **SMALL).reset(options={"program": []}),
            "reset option 'program' has 0 programs; accepted: 1 or 2",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_rendering_gives_a_picture_for_each():
    env = PaintVectorEnv(2, **SMALL, render_mode="rgb_array")
    env.reset()
    pictures = env.render()
    assert len(pictures) == 2 and pictures[0].shape == (24, 32, 3)
    assert PaintVectorEnv(2, **SMALL).render() is None


@pytest.mark.filterwarnings("error")
def test_make_vec_takes_it_natively():
    env = gym.make_vec("spiral/Paint-v0", num_envs=4, vectorization_mode="vector_entry_point", **SMALL)
    assert isinstance(env, VectorEnv) and isinstance(env.unwrapped, PaintVectorEnv)
    env.reset(seed=0)
    step_randomly(env, 6)
    env.close()
