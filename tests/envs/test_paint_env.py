"""``spiral/Paint-v0`` as Gymnasium's users meet it."""

import subprocess
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from spiral.config import EnvConfig
from spiral.envs.paint import PaintEnv
from spiral.errors import InputError, ProgramError
from spiral.geometry import Point, arc_length
from spiral.metrics import pen_lifts, pen_travel
from spiral.program import Program, replay
from spiral.stroke import Brush, Stroke

SMALL = {"width": 32, "height": 32, "grid": 8, "episode_length": 5}
PLOTTER = {
    "channels": 3,
    "palette": ((0.0, 0.0, 0.0), (0.8, 0.1, 0.2)),
    "sizes": (0.1,),
    "pressures": (1.0,),
    "pressure_controls": "width",
    "picture_mm": 40.0,
    "minimum_mm": 15.0,
    "lift_cost": 0.5,
    "travel_cost": 0.01,
}
TARGETS = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1), np.uint8)


def episode(env, seed=0, options=None):
    """Observations, rewards and the last info of one episode of random actions."""
    observation, _ = env.reset(seed=seed, options=options)
    env.action_space.seed(seed)
    observations, rewards, done = [observation], [], False
    while not done:
        observation, reward, done, truncated, info = env.step(env.action_space.sample())
        assert not truncated
        observations.append(observation)
        rewards.append(reward)
    return observations, rewards, info


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(
    "options",
    [
        {},
        SMALL,
        {**SMALL, "channels": 3, "render_mode": "rgb_array"},
        {**SMALL, "width": 16, "height": 80, "noise_size": 0},
        {**SMALL, "pressure_controls": "opacity", "sizes": (0.1,), "pressures": (1.0,), "start": (0.5, 0.5)},
        {**SMALL, "targets": TARGETS, "labels": [4, 0, 2], "reward": "l2"},
        {**SMALL, "labels": [0, 1], "episode_length": 1},
        {**SMALL, "channels": 3, "color_levels": 1, "background": (0.1, 0.2, 0.3)},
        {**SMALL, **PLOTTER},
        {**SMALL, "strokes": "compound", "stroke_cost": 0.1, "length_cost": 0.2, "blank_cost": 1.0},
        {**SMALL, "renderer": "cairo@4"},
    ],
    ids=lambda options: ",".join(options) or "defaults",
)
@pytest.mark.filterwarnings("error")
def test_gymnasium_finds_no_fault(options):
    check_env(gym.make("spiral/Paint-v0", **options).unwrapped, skip_render_check="render_mode" not in options)


def test_gym_make_finds_the_environment_by_its_module():
    code = "import gymnasium; gymnasium.make('spiral.envs:spiral/Paint-v0', width=16).reset()"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_episode_is_exactly_its_length_in_steps():
    env = PaintEnv(**SMALL)
    observations, rewards, _ = episode(env)
    assert [int(observation["step"]) for observation in observations] == [0, 1, 2, 3, 4, 5]
    assert rewards == [0.0] * 5


@pytest.mark.parametrize("begun", [False, True])
def test_stepping_without_a_reset_is_refused(begun):
    env = PaintEnv(**SMALL)
    if begun:
        episode(env)
    with pytest.raises(ResetNeeded, match=r"an episode is 5 actions long; call reset\(\) before step\(\)"):
        env.step(env.action_space.sample())


def test_what_is_observed():
    env = PaintEnv(**SMALL, start=(0.5, 0.25), noise_size=3)
    first, _ = env.reset(seed=0)
    assert list(first) == ["canvas", "pen", "previous", "step", "noise"]
    assert first["canvas"].shape == (32, 32, 1) and (first["canvas"] == 255).all()
    assert first["pen"].tolist() == [0.5, 0.25] and first["pen"].dtype == np.float32
    assert first["previous"].tolist() == [0] * 5
    assert first["noise"].shape == (3,)
    second, *_ = env.step(np.array([1, 63, 7, 2, 9]))
    assert (second["canvas"] < 255).any() and (first["canvas"] == 255).all()
    assert second["pen"].tolist() == [1, 1]
    assert second["previous"].tolist() == [1, 63, 7, 2, 9]
    assert np.array_equal(second["noise"], first["noise"])


def test_noise_of_size_0_is_left_out():
    assert "noise" not in PaintEnv(**SMALL, noise_size=0).observation_space.spaces


def test_noise_is_standard_normal_and_new_each_episode():
    env = PaintEnv(**SMALL, noise_size=1000)
    noise = [env.reset(seed=3)[0]["noise"], env.reset()[0]["noise"]]
    assert not np.array_equal(*noise)
    np.testing.assert_allclose([np.mean(noise), np.std(noise)], [0, 1], atol=0.08)
    assert 3 < np.abs(noise).max() < env.observation_space["noise"].high.max() == 6


def test_same_seed_same_everything_other_seed_other_episode():
    env = PaintEnv(**SMALL, targets=TARGETS, labels=[0, 1, 2], reward="l2")
    (first, rewards, info), (again, rewards_again, info_again) = episode(env, seed=4), episode(env, seed=4)
    assert all(map(same, first, again)) and rewards == rewards_again and info == info_again
    other, _, _ = episode(env, seed=5)
    assert not np.array_equal(other[0]["noise"], first[0]["noise"])
    assert not np.array_equal(other[-1]["canvas"], first[-1]["canvas"])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("pressure_controls", ["opacity", "width", "taper"])
def test_the_last_info_holds_a_program_of_the_last_canvas(channels, pressure_controls):
    env = PaintEnv(**SMALL, channels=channels, pressure_controls=pressure_controls)
    observations, _, info = episode(env, seed=6)
    assert np.array_equal(replay(info["program"]), observations[-1]["canvas"])
    assert info["program"] == env.program()
    assert info["program"].seed == 6


def test_the_program_so_far_is_there_at_any_time():
    env = gym.make("spiral/Paint-v0", **SMALL)
    env.reset(seed=0)
    for painted in range(4):
        assert len(env.unwrapped.program().strokes) == painted
        observation, _, _, _, info = env.step(np.array([1, painted, 63, 1, 5]))
        assert info == {}
        assert np.array_equal(replay(env.unwrapped.program()), observation["canvas"])


def test_before_the_first_reset_nothing_is_painted():
    env = PaintEnv(**SMALL, render_mode="rgb_array")
    assert env.program().strokes == ()
    assert (env.render() == 255).all()


def test_l2_rewards_add_up_to_the_fall_of_the_squared_error():
    env = PaintEnv(**SMALL, targets=TARGETS, reward="l2")
    observations, rewards, _ = episode(env, seed=1)
    target = observations[0]["target"]
    assert any(np.array_equal(target, known) for known in TARGETS)
    errors = [np.mean((observation["canvas"] / 255 - target / 255) ** 2) for observation in observations]
    np.testing.assert_allclose(rewards, -np.diff(errors), atol=1e-7)
    assert any(rewards)


@pytest.mark.parametrize("extra", [{}, {"targets": TARGETS.repeat(3, axis=3), "reward": "l2"}], ids=["none", "l2"])
def test_pen_lifts_and_travel_are_taken_off_the_reward(extra):
    """The same actions with and without costs."""
    settings = {**SMALL, **PLOTTER, "episode_length": 12, **extra}
    lifts = 0
    for seed in range(5):
        _, free, _ = episode(PaintEnv(**(settings | {"lift_cost": 0.0, "travel_cost": 0.0})), seed)
        _, rewards, info = episode(PaintEnv(**settings), seed)
        cost = 0.5 * pen_lifts(info["program"]) + 0.01 * pen_travel(info["program"], 40.0)
        assert sum(free) - sum(rewards) == pytest.approx(cost)
        assert (np.subtract(free, rewards) > -1e-12).all()
        lifts += pen_lifts(info["program"])
    assert lifts > 10


def test_a_lift_is_charged_to_the_action_that_begins_the_next_stroke():
    env = PaintEnv(**(SMALL | PLOTTER | {"grid": 2}))
    env.reset()
    actions = [[1, 3, 3, 0, 0, 0], [0, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0], [1, 3, 3, 0, 0, 1], [1, 3, 3, 0, 0, 0]]
    rewards = [env.step(np.array(action))[1] for action in actions]
    # 40 mm from the corner below to that above; then another pen; then a dot, which is too short.
    assert rewards == pytest.approx([0, 0, -0.5 - 0.4, -0.5, 0])


def test_the_way_from_given_strokes_to_the_first_of_the_episode_is_charged():
    env = PaintEnv(**(SMALL | PLOTTER | {"travel_cost": 0.0}))
    *_, info = episode(env, options={"program": given_program(env)})
    env.reset(options={"program": given_program(env)})
    assert env.step(np.array([1, 63, 63, 0, 0, 0]))[1] == 0  # from where the pen is
    env.reset(options={"program": given_program(env)})
    assert env.step(np.array([0, 0, 0, 0, 0, 0]))[1] == 0
    assert env.step(np.array([1, 63, 63, 0, 0, 0]))[1] == -0.5
    assert pen_lifts(info["program"]) >= 1


@pytest.mark.parametrize("strokes", ["simple", "compound"])
def test_new_strokes_and_their_length_are_taken_off_the_reward(strokes):
    """The same actions with and without costs."""
    settings = {**SMALL, "width": 48, "strokes": strokes, "episode_length": 12}
    for seed in range(5):
        _, rewards, info = episode(PaintEnv(**settings, stroke_cost=0.5, length_cost=0.25), seed)
        program = info["program"]
        cost = 0.5 * (pen_lifts(program) + 1) + 0.25 * sum(map(length, program.strokes))
        assert -sum(rewards) == pytest.approx(cost, rel=1e-4)
        assert sum(episode(PaintEnv(**settings), seed)[1]) == 0


def length(stroke):
    """In shorter sides of a canvas of 48 x 32."""
    return arc_length(*(Point(1.5 * x, y) for x, y in (stroke.start, stroke.control, stroke.end)), tolerance=1e-7)


def test_the_first_stroke_is_a_new_one_and_one_that_goes_on_is_not():
    env = PaintEnv(**(SMALL | {"grid": 2}), stroke_cost=0.5, length_cost=2.0)
    env.reset()
    actions = [[0, 1, 0, 0, 9], [1, 3, 3, 0, 9], [1, 2, 2, 0, 9], [0, 0, 0, 0, 9], [1, 1, 1, 0, 9]]
    rewards = [env.step(np.array(action))[1] for action in actions]
    assert rewards == pytest.approx([0, -2.5, -2.0, 0, -2.5])


def painting(env, action, options=None):
    """The rewards of an episode of this action again and again."""
    env.reset(options=options)
    return [env.step(np.array(action))[1] for _ in range(5)]


def test_an_episode_that_leaves_no_trace_is_charged_once_with_its_last_action():
    env = PaintEnv(**SMALL, blank_cost=3.0)
    move, stroke = [0, 5, 0, 0, 0], [1, 63, 7, 2, 9]
    assert painting(env, move) == [0, 0, 0, 0, -3]
    assert painting(env, stroke) == [0] * 5
    assert painting(env, move) == [0, 0, 0, 0, -3]


def test_white_on_white_leaves_no_trace():
    assert painting(PaintEnv(**SMALL, blank_cost=3.0, ink=(1.0,) * 3), [1, 63, 7, 2, 9])[-1] == -3


def test_what_was_given_at_the_start_is_no_trace_of_the_episode():
    env = PaintEnv(**SMALL, blank_cost=3.0)
    for options in ({"canvas": TARGETS[0]}, {"program": given_program(env)}):
        assert painting(env, [0, 5, 0, 0, 0], options)[-1] == -3
        assert painting(env, [1, 63, 7, 2, 9], options)[-1] == 0


def test_a_stroke_left_unfinished_is_a_trace():
    env = PaintEnv(**SMALL, strokes="compound", blank_cost=3.0)
    assert painting(env, [1, 63, 5, 9]) == [0] * 5


def test_every_target_is_drawn_with_its_own_label():
    env = PaintEnv(**SMALL, targets=TARGETS, labels=[4, 0, 2])
    assert env.observation_space["label"].n == 5
    seen = {}
    for seed in range(20):
        observation, _ = env.reset(seed=seed)
        seen[int(observation["label"])] = observation["target"]
    assert seen.keys() == {4, 0, 2}
    for label, target in zip([4, 0, 2], TARGETS, strict=True):
        assert np.array_equal(seen[label], target)


def test_labels_without_targets_are_drawn_too():
    env = PaintEnv(**SMALL, labels=np.array([1, 3]))
    assert {int(env.reset(seed=seed)[0]["label"]) for seed in range(20)} == {1, 3}


# Half-finished paintings.


def given_program(env, **header):
    stroke = Stroke(Point(0.1, 0.2), Point(0.9, 0.5), Point(0.2, 0.8), Brush(0.1, opacity=0.5))
    return Program(env.program().canvas, [stroke], **header)


@pytest.mark.parametrize("as_path", [False, True])
def test_going_on_with_a_program(tmp_path, as_path):
    env = PaintEnv(**SMALL)
    program = given_program(env)
    program.save(tmp_path / "begun.json")
    observations, _, info = episode(env, options={"program": tmp_path / "begun.json" if as_path else program})
    assert np.array_equal(observations[0]["canvas"], replay(program))
    assert observations[0]["step"] == 0
    assert observations[0]["pen"].tolist() == pytest.approx([0.2, 0.8])  # where the given stroke ends
    assert info["program"].strokes[:1] == program.strokes
    assert info["program"].origin == "strokes given at the start: 1"
    assert np.array_equal(replay(info["program"]), observations[-1]["canvas"])


@pytest.mark.parametrize("strokes", ["simple", "compound"])
def test_the_pen_goes_on_from_the_last_given_stroke(strokes):
    env = PaintEnv(**SMALL, strokes=strokes)
    given = given_program(env)
    beyond = Stroke(Point(0.5, 0.5), Point(0.8, 0.5), Point(1.25, 0.5), Brush(0.1))
    paint = np.zeros(len(env.action_space.nvec), np.int64)
    paint[:2] = (2 if strokes == "compound" else 1), 63
    for program, place in ((given, (0.2, 0.8)), (Program(given.canvas, [*given.strokes, beyond]), (1.0, 0.5))):
        env.reset(options={"program": program})
        env.step(paint)
        assert env.program().strokes[len(program.strokes)].start == pytest.approx(place)


@pytest.mark.parametrize("renderer", ["cairo", "cairo@4"])
def test_going_on_with_a_picture(renderer):
    env = PaintEnv(**SMALL, renderer=renderer)
    observations, _, info = episode(env, options={"canvas": TARGETS[0]})
    assert np.array_equal(observations[0]["canvas"], TARGETS[0])
    assert "painted over a given picture" in info["program"].origin
    assert info["program"].checksum is None
    again, _ = env.reset()
    assert (again["canvas"] == 255).all()
    assert env.program().origin is None and env.program().checksum
    env.reset(options={"canvas": TARGETS[0]})
    across, *_ = env.step(np.array([1, 63, 63, 0, 9]))
    changed = across["canvas"] != TARGETS[0]
    assert changed[16, 16] and not changed[16, :8].any() and not changed[16, 24:].any()


def test_a_given_picture_lies_under_a_given_program():
    env = PaintEnv(**SMALL)
    program = given_program(env)
    observation, _ = env.reset(options={"program": program, "canvas": TARGETS[0]})
    changed = observation["canvas"] != TARGETS[0]
    assert changed.any() and (~changed).any()
    assert env.program().origin.endswith("not in this program; strokes given at the start: 1")


def test_a_given_target_and_label():
    env = PaintEnv(**SMALL, targets=TARGETS, labels=[0, 1, 2], reward="l2")
    observation, _ = env.reset(options={"target": TARGETS[0] // 2, "label": 2})
    assert np.array_equal(observation["target"], TARGETS[0] // 2) and observation["label"] == 2
    _, reward, *_ = env.step(np.zeros(5, int))
    assert reward == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"program": "nowhere.json"}, "cannot read nowhere.json"),
        ({"canvas": np.zeros((8, 8, 1), np.uint8)}, r"'canvas' is uint8 \[8, 8, 1\]; accepted: uint8 \[32, 32, 1\]"),
        ({"canvas": np.zeros((32, 32, 1))}, r"'canvas' is float64 \[32, 32, 1\]; accepted: uint8 \[32, 32, 1\]"),
        ({"target": TARGETS[0]}, r"'target' needs an environment made with targets=.*, or target=True$"),
        ({"label": 1}, r"'label' needs an environment made with labels="),
        ({"tarjet": 1}, "unknown reset option 'tarjet'; known: canvas, program, target, label. Did you mean 'target'"),
    ],
)
def test_reset_options_that_do_not_fit_are_refused(options, message):
    env = PaintEnv(**SMALL)
    env.reset()
    with pytest.raises(InputError, match=message):
        env.reset(options=options)
    with pytest.raises(ResetNeeded):  # nothing half-begun is left
        env.step(np.zeros(5, int))


@pytest.mark.parametrize("label", [3, -1, 0.5, [0, 1]])
def test_a_label_out_of_range_is_refused(label):
    env = PaintEnv(**SMALL, labels=[0, 2])
    with pytest.raises(InputError, match=r"'label' is .*; accepted: an integer from 0 to 2, or one for each of 1 epis"):
        env.reset(options={"label": label})


def test_a_program_of_another_kind_of_canvas_is_refused():
    rgb = PaintEnv(**SMALL, channels=3)
    env = PaintEnv(**SMALL)
    with pytest.raises(InputError, match=r"'program' was painted on 3 channels .*; this environment has 1 and"):
        env.reset(options={"program": given_program(rgb)})


def test_a_program_file_with_a_fault_is_refused(tmp_path):
    (tmp_path / "torn.json").write_text("{")
    with pytest.raises(ProgramError, match=r"torn\.json: not a stroke program"):
        PaintEnv(**SMALL).reset(options={"program": tmp_path / "torn.json"})


# What the constructor refuses; the options themselves are in test_options.py.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"targets": TARGETS[:, :16]}, r"targets are uint8 \[3, 16, 32, 1\]; accepted: uint8 \[M, 32, 32, 1\]"),
        ({"targets": TARGETS / 255}, r"targets are float64 \[3, 32, 32, 1\]; accepted: uint8"),
        ({"targets": TARGETS[:0]}, r"targets are uint8 \[0, 32, 32, 1\]; accepted: .* M at least 1"),
        ({"targets": TARGETS, "labels": [0, 1]}, r"labels are int64 \[2\]; accepted: .* one for each target"),
        ({"labels": [-1, 1]}, r"labels are int64 \[2\]; accepted: integers from 0"),
        ({"labels": []}, "labels are float64"),
        ({"reward": "l2"}, "reward 'l2' compares the canvas with a target: give targets="),
        ({"render_mode": "ansi"}, "unknown render mode 'ansi'; known: human, rgb_array"),
        ({"gird": 4}, "unknown environment option 'gird'"),
        ({"config": EnvConfig(grid=100)}, "grid must be a whole number from 2 to 64, got 100"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        PaintEnv(**({"config": EnvConfig(**SMALL)} | arguments))


def test_an_action_out_of_range_is_refused():
    env = PaintEnv(**SMALL)
    env.reset()
    with pytest.raises(InputError, match="part 'end' of action 0 is 64; accepted: 0 to 63"):
        env.step(np.array([0, 64, 0, 0, 0]))


# Rendering.


@pytest.mark.parametrize("channels", [1, 3])
def test_rgb_array_shows_the_canvas_in_three_channels(channels):
    env = PaintEnv(**SMALL, channels=channels, render_mode="rgb_array")
    observations, *_ = episode(env)
    assert env.render().shape == (32, 32, 3) and env.render().dtype == np.uint8
    assert np.array_equal(env.render()[..., :channels], observations[-1]["canvas"])


def test_without_a_render_mode_there_is_nothing_to_render():
    env = PaintEnv(**SMALL)
    env.reset()
    assert env.render() is None


def test_gymnasium_records_it(tmp_path):
    env = gym.wrappers.RenderCollection(gym.make("spiral/Paint-v0", **SMALL, render_mode="rgb_array"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        episode(env)
    assert len(env.render()) == 6
