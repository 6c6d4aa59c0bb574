import dataclasses

import numpy as np
import pytest
import torch
from rollouts import observed

from spiral.agents.heads import joint_log_prob, part_entropies
from spiral.agents.painter import Painter, step_features
from spiral.agents.rollout import paint_rollout
from spiral.config import EnvConfig, PainterConfig
from spiral.envs.vector import PaintVectorEnv

# 36 distinct actions: to 4 cells the pen can move, and 4 * 4 * 2 strokes can be painted.
TINY = EnvConfig(width=16, height=16, grid=2, episode_length=3, sizes=(0.1, 0.4), pressures=(1.0,), noise_size=2)
SMALL = dataclasses.replace(TINY, grid=4)  # the least grid the spiral network paints on
COMPOUND = dataclasses.replace(TINY, strokes="compound")
QUICK = PainterConfig(hidden=32, channels=(4, 8), location_embedding=4)
SPIRAL = PainterConfig(network="spiral", hidden=32)
POINTER = dataclasses.replace(QUICK, pointer=4)
NETWORKS = [QUICK, POINTER, SPIRAL]
ALL = [dataclasses.replace(config, lstm=lstm) for config in NETWORKS for lstm in (0, 16)]


def names(config):
    return f"{config.network}{'-pointer' if config.pointer else ''}-{'lstm' if config.lstm else 'feed-forward'}"


every_painter = pytest.mark.parametrize("config", ALL, ids=names)
every_network = pytest.mark.parametrize("config", NETWORKS, ids=names)


def make_painter(config, env=SMALL):
    """A painter whose choices are far from uniform, unlike an untrained one's, so that mistakes show."""
    torch.manual_seed(0)
    painter = Painter(config, env)
    with torch.no_grad():
        for head in painter.heads.logits.values():
            last = [parameter for parameter in head.parameters() if parameter.ndim > 1][-1]
            last.normal_(0, last[0].numel() ** -0.5 * 1.5)
    return painter


def paint(painter, episodes=4, seed=0, **inputs):
    env = PaintVectorEnv(episodes, painter.env, **inputs)
    return paint_rollout(env, painter, torch.Generator().manual_seed(seed), seed=seed)


def tensors(observations):
    return {name: torch.as_tensor(values) for name, values in observations.items()}


def one_observation(painter, count, **inputs):
    """The second observation of an episode, ``count`` times over."""
    observations = observed(paint(painter, episodes=1, **inputs))
    return {name: values[:, 1].expand(count, *values.shape[2:]) for name, values in observations.items()}


def some_state(painter, count):
    """A recurrent state that is not the first one."""
    return {name: value + 0.3 for name, value in painter.initial_state(count).items()}


def all_actions(painter):
    return torch.cartesian_prod(*(torch.arange(int(n)) for n in painter.table.nvec))


@torch.no_grad()
def log_probs_of(painter, actions):
    observation = one_observation(painter, len(actions))
    output = painter(observation, some_state(painter, len(actions)), actions)
    return joint_log_prob(output.logits, actions, painter.masks(actions)), output.logits


def distinct(painter, actions):
    """Which actions stand for themselves: those whose masked parts, if any, are 0."""
    return ((actions == 0) | painter.masks(actions)).all(-1)


@pytest.mark.parametrize(
    "config, env, count",
    [
        (QUICK, TINY, 4 + 2 * 4**2),
        (ALL[1], TINY, 4 + 2 * 4**2),
        (SPIRAL, SMALL, 16 + 2 * 16**2),
        (ALL[3], SMALL, 16 + 2 * 16**2),
        (QUICK, COMPOUND, 4 * 2 + 4 + 4),  # moves that choose one of two sizes, points, last points
    ],
)
def test_the_probabilities_of_all_distinct_actions_sum_to_one(config, env, count):
    painter = make_painter(config, env)
    actions = all_actions(painter)
    log_probs, logits = log_probs_of(painter, actions)
    chosen = distinct(painter, actions)
    assert chosen.sum() == count
    probabilities = log_probs[chosen].exp()
    assert probabilities.sum().item() == pytest.approx(1, abs=1e-5)

    exact_entropy = -(probabilities * probabilities.log()).sum()
    summed = part_entropies(logits, painter.masks(actions)).sum(-1)[chosen]
    assert (probabilities * summed).sum().item() == pytest.approx(exact_entropy.item(), abs=1e-4)


def test_what_a_masked_part_says_makes_no_difference():
    painter = make_painter(QUICK, TINY)
    actions = all_actions(painter)
    log_probs, logits = log_probs_of(painter, actions)
    same = actions * painter.masks(actions)
    assert not torch.equal(same, actions)
    same_log_probs, same_logits = log_probs_of(painter, same)
    assert torch.equal(log_probs, same_log_probs)
    masks = painter.masks(actions)
    assert torch.equal(part_entropies(logits, masks), part_entropies(same_logits, masks))


def test_sampled_actions_are_as_frequent_as_they_are_probable():
    painter, count = make_painter(QUICK, TINY), 5000
    with torch.no_grad():
        output = painter(one_observation(painter, count), {}, generator=torch.Generator().manual_seed(0))
    actions = all_actions(painter)
    actions = actions[distinct(painter, actions)]
    sampled = output.actions * painter.masks(output.actions)
    counts = (sampled[:, None] == actions).all(-1).sum(0)
    assert counts.sum() == count
    expected = count * log_probs_of(painter, actions)[0].exp()
    assert ((counts - expected) ** 2 / expected).sum() < 66.6  # 0.999 quantile of chi-square, 35 degrees of freedom


@every_painter
@pytest.mark.parametrize("env", [SMALL, dataclasses.replace(SMALL, strokes="compound")], ids=["simple", "compound"])
def test_the_learner_finds_the_log_probs_the_runner_sampled_with(config, env):
    """Unrolled over [B, T] with the actions given, against step by step with the actions chosen."""
    painter = make_painter(config, env)
    rollout = paint(painter)
    episodes, steps, parts = rollout.actions.shape

    @torch.no_grad()
    def log_probs(actions):
        core, seen, _ = painter.unroll(observed(rollout), painter.initial_state(episodes), steps)
        actions = torch.as_tensor(actions).reshape(-1, parts)
        _, logits = painter.heads(core, actions, seen=seen)
        return joint_log_prob(logits, actions, painter.masks(actions)).reshape(episodes, steps).numpy()

    assert log_probs(rollout.actions) == pytest.approx(rollout.log_probs, abs=1e-5)
    assert np.abs(log_probs(rollout.actions[::-1].copy()) - rollout.log_probs).max() > 0.1


@every_painter
def test_unrolled_values_and_states_are_those_of_single_steps(config):
    painter = make_painter(config)
    rollout = paint(painter)
    observations, state = observed(rollout), painter.initial_state(4)
    with torch.no_grad():
        core, _, last = painter.unroll(observations, state, 3)
        values = painter.value(core).reshape(4, 3)
        for t in range(3):
            output = painter({name: value[:, t] for name, value in observations.items()}, state)
            state = output.state
            assert torch.allclose(painter.value(output.core).squeeze(-1), values[:, t], atol=1e-5)
    assert last.keys() == state.keys() == ({"h", "c"} if config.lstm else set())
    for name in state:
        assert torch.allclose(last[name], state[name], atol=1e-5)


@every_network
def test_what_was_painted_before_changes_what_an_lstm_does_next(config):
    painter = make_painter(dataclasses.replace(config, lstm=16))
    observation = one_observation(painter, 1)
    first = painter(observation, painter.initial_state(1))
    later = painter(observation, first.state, first.actions)
    assert not torch.allclose(first.logits[0], later.logits[0], atol=1e-4)


@every_network
def test_control_depends_on_end_and_end_does_not_depend_on_control(config):
    painter = make_painter(config)
    observation = one_observation(painter, 3)
    actions = torch.tensor([[1, 5, 7, 1, 0], [1, 6, 7, 1, 0], [1, 5, 8, 1, 0]])
    _, end, control, size, _ = painter(observation, {}, actions).logits
    assert torch.allclose(end[0], end[1], atol=1e-6) and torch.allclose(end[0], end[2], atol=1e-6)
    assert not torch.allclose(control[0], control[1], atol=1e-3)
    assert torch.allclose(control[0], control[2], atol=1e-6)
    assert not torch.allclose(size[0], size[2], atol=1e-3)


@every_network
def test_greedy_is_the_most_probable_and_the_same_seed_gives_the_same_sample(config):
    painter = make_painter(config)
    observation = one_observation(painter, 8)
    greedy = painter(observation, {}, greedy=True)
    assert torch.equal(greedy.actions, torch.stack([part.argmax(-1) for part in greedy.logits], dim=-1))
    one, same, other = (
        painter(observation, {}, generator=torch.Generator().manual_seed(seed)).actions for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@every_network
def test_parts_come_in_the_order_of_the_action_table(config):
    env = dataclasses.replace(SMALL, channels=3, color_levels=7)
    painter = make_painter(config, env)
    assert painter.heads.parts == ("flag", "end", "control", "size", "pressure", "red", "green", "blue")
    output = painter(one_observation(painter, 2), {})
    assert [part.shape[1] for part in output.logits] == [2, 16, 16, 2, 1, 7, 7, 7]
    assert output.actions.shape == (2, 8)
    assert painter.value(output.core).shape == (2, 1)
    assert make_painter(config).heads.parts == painter.heads.parts[:5]


@every_network
def test_a_palette_is_chosen_from_last(config):
    painter = make_painter(config, dataclasses.replace(SMALL, channels=3, palette=((0.0, 0.0, 0.0), (1.0, 0.2, 0.0))))
    assert painter.heads.parts == ("flag", "end", "control", "size", "pressure", "color")
    assert [part.shape[1] for part in painter(one_observation(painter, 2), {}).logits] == [2, 16, 16, 2, 1, 2]


@every_network
def test_a_part_of_one_level_is_certain_and_learns_nothing(config):
    painter = make_painter(config, dataclasses.replace(SMALL, sizes=(0.08,), pressures=(1.0,)))
    rollout = paint(painter, episodes=8)
    size = painter.table.parts.index("size")
    assert not rollout.actions[..., size:].any()
    core, seen, _ = painter.unroll(observed(rollout), {}, 3)
    actions = torch.as_tensor(rollout.actions).reshape(24, -1).long()
    _, logits = painter.heads(core, actions, seen=seen)
    masks = painter.masks(actions)
    assert not part_entropies(logits, masks)[:, size:].any()
    log_probs = joint_log_prob(logits, actions, masks)
    assert torch.equal(log_probs, joint_log_prob(logits[:size], actions[:, :size], masks[:, :size]))
    log_probs.sum().backward()
    assert not any(parameter.grad.any() for parameter in painter.heads.logits["size"].parameters())


@every_network
@pytest.mark.parametrize("width, height, channels", [(24, 16, 1), (16, 40, 3), (33, 17, 1)])
def test_canvases_need_not_be_square(config, width, height, channels):
    painter = make_painter(config, dataclasses.replace(SMALL, width=width, height=height, channels=channels))
    assert paint(painter).finals.shape == (4, height, width, channels)


@every_network
@pytest.mark.parametrize("name", ["canvas", "pen", "previous", "step", "noise", "target", "label"])
def test_every_input_counts(config, name):
    targets = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 1), dtype=np.uint8)
    painter = make_painter(config, dataclasses.replace(SMALL, target=True, classes=3))
    observation = one_observation(painter, 1, targets=targets, labels=np.arange(3))
    other = {
        "canvas": 255 - observation["canvas"],
        "pen": 1 - observation["pen"],
        "previous": torch.tensor([[1, 3, 2, 1, 0]]),
        "step": observation["step"] + 1,
        "noise": observation["noise"] + 1,
        "target": 255 - observation["target"],
        "label": (observation["label"] + 1) % 3,
    }[name]
    before, after = painter.encode(observation).features, painter.encode(observation | {name: other}).features
    assert before.shape == (1, 32)
    assert not torch.allclose(before, after, atol=1e-4)


def test_masked_parts_of_the_previous_action_do_not_count():
    painter = make_painter(QUICK)
    observation = one_observation(painter, 1)
    moves = [torch.tensor([[0, 5, 0, 0, 0]]), torch.tensor([[0, 5, 9, 1, 0]]), torch.tensor([[0, 6, 0, 0, 0]])]
    one, same, other = (painter.encode(observation | {"previous": previous}).features for previous in moves)
    assert torch.equal(one, same)
    assert not torch.allclose(one, other, atol=1e-4)


def test_steps_of_short_episodes_are_one_hot_and_those_of_long_ones_a_few_numbers():
    assert torch.equal(step_features(20), torch.eye(21))
    assert torch.equal(step_features(64), torch.eye(65))
    for length in (65, 1000):
        features = step_features(length)
        assert features.shape == (length + 1, 15)
        assert features.abs().max() <= 1
        apart = torch.pdist(features)
        assert apart.min() > 0.2, "every step can be told from every other"


@every_network
def test_what_is_told_of_a_step_does_not_grow_with_the_episode(config):
    sizes = {count(make_painter(config, dataclasses.replace(SMALL, episode_length=length))) for length in (65, 1000)}
    assert len(sizes) == 1


@every_network
def test_noise_can_be_left_out(config):
    painter = make_painter(config, dataclasses.replace(SMALL, noise_size=0))
    assert "noise" not in observed(paint(painter))


@pytest.mark.parametrize("grid", [2, 5, 32])
def test_cells_reach_from_edge_to_edge(grid):
    painter = make_painter(QUICK, dataclasses.replace(TINY, grid=grid))
    corners = torch.tensor([0, grid - 1, grid * (grid - 1), grid * grid - 1])
    expected = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
    assert torch.equal(painter.previous["end"](corners), expected)
    everywhere = painter.previous["end"](torch.arange(grid * grid))
    assert everywhere.abs().max() == 1


@every_painter
def test_an_episode_begins_with_a_state_of_zeros(config):
    state = make_painter(config).initial_state(5)
    assert state.keys() == ({"h", "c"} if config.lstm else set())
    for value in state.values():
        assert torch.equal(value, torch.zeros(5, 16))


@every_painter
def test_weights_survive_a_round_trip(config):
    painter = make_painter(config)
    torch.manual_seed(1)
    copy = Painter(config, SMALL)
    copy.load_state_dict(painter.state_dict())
    assert np.array_equal(paint(copy).actions, paint(painter).actions)


@every_painter
def test_every_parameter_gets_a_gradient(config):
    painter = make_painter(config, dataclasses.replace(SMALL, pressures=(0.5, 1.0)))
    rollout = paint(painter, episodes=8)
    core, seen, _ = painter.unroll(observed(rollout), painter.initial_state(8), 3)
    actions = torch.as_tensor(rollout.actions).reshape(24, -1)
    _, logits = painter.heads(core, actions, seen=seen)
    everything = torch.ones_like(actions, dtype=torch.bool)
    (joint_log_prob(logits, actions, everything).square().mean() + painter.value(core).sum()).backward()
    assert [name for name, parameter in painter.named_parameters() if not parameter.grad.any()] == []


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_spiral_network_has_the_layer_sizes_of_the_released_agent():
    """github google-deepmind/spiral, spiral/agents/default.py and utils.py; weights + biases, layer by layer."""
    painter = Painter(PainterConfig(network="spiral", hidden=256, lstm=256), EnvConfig(channels=3))
    strided, pointwise, square = 4 * 4 * 32 * 32 + 32, 32 * 32 + 32, 3 * 3 * 32 * 32 + 32
    residual_blocks = 8 * (square + pointwise)
    assert (strided, pointwise, square, residual_blocks) == (16416, 1056, 9248, 82432)

    encoder = painter.encoder
    assert count(encoder.first) == 5 * 5 * (3 + 2) * 32 + 32  # the canvas and two coordinate planes
    assert count(encoder.convolutions) == 3 * strided + square + residual_blocks
    assert count(encoder.output) == 8 * 8 * 32 * 256 + 256  # 64 pixels, halved three times
    assert count(encoder.noise) == (10 * 64 + 64) + (64 * 32 + 32) + (32 * 32 + 32)
    # Ours takes the pen and the step too: 2 + 21 numbers beside the 82 of the previous action.
    assert count(encoder.extra) == (105 * 64 + 64) + (64 * 32 + 32) + (32 * 32 + 32)
    assert count(painter.core) == 4 * 256 * (256 + 256) + 2 * 4 * 256  # torch has two biases where Sonnet has one
    assert count(painter.value) == 256 + 1

    location = (3 * 3 * 16 * 32 + 32) + residual_blocks + 3 * strided + (3 * 3 * 32 + 1)
    sizes = {"flag": 2, "size": 6, "pressure": 10, "red": 20, "green": 20, "blue": 20}
    heads = {name: count(module) for name, module in painter.heads.logits.items()}
    assert heads == {"end": location, "control": location} | {name: 256 * n + n for name, n in sizes.items()}

    residual = (272 * 16 + 16) + (16 * 32 + 32) + (32 * 256 + 256)
    mixes = {name: count(module) for name, module in painter.heads.mixes.items()}
    inputs = {"end": 2, "control": 2} | {name: n for name, n in sizes.items() if name != "blue"}
    assert mixes == {name: residual + 16 * n + 16 for name, n in inputs.items()}

    blocks = (encoder, painter.core, painter.value, painter.heads)
    assert count(painter) == sum(count(block) for block in blocks), "and nothing else"
