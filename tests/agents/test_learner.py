"""The learner's updates against a slow, literal computation."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import sys

import numpy as np
import pytest
import torch
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.learner.training_data import TrainingData
from rollouts import observed

from spiral import config
from spiral.agents.algorithm import SpiralConfig
from spiral.agents.discriminator import draw_masks, score_input
from spiral.agents.heads import joint_log_prob
from spiral.agents.rollout import paint_rollout
from spiral.envs.vector import PaintVectorEnv
from spiral.errors import SpiralError

SETTINGS = [
    "env_steps=96",  # four rollouts
    "learner.entropy=0.1",
    "learner.final_entropy=0.5",
    "learner.learning_rate=0.01",
    "learner.final_learning_rate=0.2",
    "learner.discount=0.9",
    "learner.trace=0.8",
    "learner.rho_clip=1.1",
    "learner.c_clip=0.9",
    "learner.gradient_clip=0.05",
    "learner.average=0.5",
]


@pytest.fixture
def run(tiny_run):
    return config.override(tiny_run, SETTINGS)


def make_env(run):
    return PaintVectorEnv(run.num_envs, run.env, targets=run.data if run.env.target else None)


def build(run):
    """A learner outside Ray."""
    env = make_env(run)
    spaces = {DEFAULT_MODULE_ID: (env.single_observation_space, env.single_action_space)}
    return SpiralConfig.from_run(run).build_learner(spaces=spaces)


def painter_of(learner):
    return learner.module[DEFAULT_MODULE_ID].unwrapped().painter


def rollout_of(learner, run, seed):
    """A rollout by the learner's weights whose log-probs are noted wrong, so that importance ratios differ from 1."""
    env = make_env(run)
    rollout = paint_rollout(env, painter_of(learner), torch.Generator().manual_seed(seed), seed=seed)
    noise = np.random.default_rng(seed).normal(0, 0.5, rollout.log_probs.shape).astype(np.float32)
    return rollout, dataclasses.replace(rollout, log_probs=rollout.log_probs + noise)


def update(learner, *rollouts):
    return learner.update(training_data=TrainingData(episodes=list(rollouts)), timesteps={})


def follow(painter, rollout):
    """log-probs, values and entropies of each part [N, T, ...] of a rollout, one canvas and one step at a time."""
    episodes, length = rollout.log_probs.shape
    log_probs, values, entropies = [], [], []
    for n in range(episodes):
        state = painter.initial_state(1)
        for t in range(length):
            observation = {name: x[n : n + 1, t] for name, x in observed(rollout).items()}
            action = torch.as_tensor(rollout.actions[n : n + 1, t]).long()
            output = painter(observation, state, actions=action)
            state = output.state
            mask = painter.masks(action)
            log_probs.append(joint_log_prob(output.logits, action, mask))
            values.append(painter.value(output.core).squeeze(-1))
            of_parts = [torch.distributions.Categorical(logits=logits).entropy() for logits in output.logits]
            entropies.append(torch.cat(of_parts) * mask[0])
    shape = (episodes, length)
    return torch.cat(log_probs).reshape(shape), torch.cat(values).reshape(shape), torch.stack(entropies)


def literal_vtrace(rhos, rewards, values, learner):
    """The sum of IMPALA's equation 1, term by term."""
    episodes, length = rewards.shape
    values = torch.cat([values, torch.zeros(episodes, 1)], dim=1)
    targets, advantages = torch.zeros(episodes, length + 1), torch.zeros(episodes, length)
    for n in range(episodes):
        for s in range(length):
            targets[n, s] = values[n, s]
            for t in range(s, length):
                weight = learner.discount ** (t - s)
                for i in range(s, t):
                    weight *= learner.trace * min(learner.c_clip, rhos[n, i].item())
                delta = rewards[n, t] + learner.discount * values[n, t + 1] - values[n, t]
                targets[n, s] += weight * min(learner.rho_clip, rhos[n, t].item()) * delta
        for s in range(length):
            gain = rewards[n, s] + learner.discount * targets[n, s + 1] - values[n, s]
            advantages[n, s] = min(learner.rho_clip, rhos[n, s].item()) * gain
    return targets[:, :length], advantages


def literal_loss(painter, rollout, rewards, settings, progress, before=None):
    """The loss, and the targets and advantages that it is of; those ``before`` it are of an earlier pass."""
    log_probs, values, entropies = follow(painter, rollout)
    rhos = (log_probs - torch.as_tensor(rollout.log_probs)).exp()
    if before is None:
        targets, advantages = literal_vtrace(rhos.detach(), rewards, values.detach(), settings)
        before = targets, (advantages - advantages.mean()) / max(1.0, advantages.std(correction=0).item())
    targets, advantages = before
    errors = (values - targets).abs()
    huber = torch.where(errors < 1, errors**2 / 2, errors - 0.5).mean()
    entropy_weight = settings.entropy * (1 - progress + settings.final_entropy * progress)
    factors = {"flag": settings.flag_entropy}
    factors |= dict.fromkeys(("red", "green", "blue", "color"), settings.color_entropy)
    entropy = sum(factors.get(part, 1.0) * entropies[:, i] for i, part in enumerate(painter.table.parts)).mean()
    gains = advantages * log_probs
    if settings.passes > 1:
        least, most = 1 - settings.policy_clip, 1 + settings.policy_clip
        gains = (
            torch.where(advantages > 0, torch.where(rhos < most, rhos, most), torch.where(rhos > least, rhos, least))
            * advantages
        )
    return -gains.mean() + settings.value * huber - entropy_weight * entropy, before


@pytest.mark.parametrize(
    "settings",
    [
        ["painter.lstm=0"],
        ["painter.lstm=8"],
        ["learner.passes=3", "learner.policy_clip=0.05"],
        ["env.channels=3", "learner.flag_entropy=3.0", "learner.color_entropy=5.0"],
        ["env.palette=[[0, 0, 0], [0.5, 0.5, 0.5]]", "learner.color_entropy=5.0"],
    ],
    ids=" ".join,
)
def test_two_updates_equal_a_literal_computation(run, settings):
    run = config.override(run, [*settings, f"learner.minibatch={run.num_envs}"])
    learner, settings = build(run), run.learner
    painter = copy.deepcopy(painter_of(learner))
    optimizer = torch.optim.Adam(painter.parameters(), eps=1e-5)
    average = copy.deepcopy(painter.state_dict())
    for number in range(2):
        _, rollout = rollout_of(learner, run, number)
        update(learner, rollout)

        with torch.no_grad():
            scores = learner._scorer._discriminator(score_input(torch.as_tensor(rollout.finals)))
        rewards = torch.zeros(rollout.log_probs.shape)
        rewards[:, -1] = (scores - learner._scale.mean) / learner._scale.unit
        before = None
        for _ in range(settings.passes):
            loss, before = literal_loss(painter, rollout, rewards, settings, (number + 1) / 4, before)
            optimizer.zero_grad()
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(painter.parameters(), settings.gradient_clip)
            assert norm > 2 * settings.gradient_clip  # or clipping would not be seen
            rate = settings.learning_rate * (1 - 0.8 * number / 4)
            optimizer.param_groups[0]["lr"] = rate
            optimizer.step()
        decay = min(settings.average, (number + 2) / (number + 11))
        for name, value in painter.state_dict().items():
            average[name] = decay * average[name] + (1 - decay) * value

    for name, value in painter_of(learner).state_dict().items():
        torch.testing.assert_close(value, painter.state_dict()[name], rtol=1e-3, atol=2e-5, msg=name)
    for name, value in learner.average_weights().items():
        np.testing.assert_allclose(value, average[name], rtol=1e-3, atol=2e-5, err_msg=name)


@pytest.mark.parametrize(
    "settings",
    [
        [],
        ["painter.lstm=8"],
        ["env.channels=3"],
        ["env.palette=[[0, 0, 0], [0.5, 0.5, 0.5]]", "env.minimum_mm=40", "env.lift_cost=1"],
        ["env.target=true", "env.classes=10"],
        ["env.target=true", "env.classes=10", "painter.lstm=8"],
        ["env.classes=10", "env.noise_size=0"],
        ["env.target=true", "painter.blind=true"],
    ],
)
def test_the_learners_log_probs_are_the_runners(run, settings):
    run = config.override(run, [f"learner.minibatch={run.num_envs}", *settings])
    learner = build(run)
    results = update(learner, rollout_of(learner, run, seed=3)[0])
    assert results[DEFAULT_MODULE_ID]["rho_mean"].peek() == pytest.approx(1, abs=1e-5)


def test_the_learner_sees_what_was_asked_for(run):
    """With another target, label or noise noted than the runner painted for, its log-probs are others."""
    run = config.override(run, [f"learner.minibatch={run.num_envs}", "env.target=true", "env.classes=10"])
    for name in ("noise", "target", "label"):
        learner = build(run)
        rollout, _ = rollout_of(learner, run, seed=3)
        swapped = rollout.constants | {name: np.roll(rollout.constants[name], 1, axis=0)}
        results = update(learner, dataclasses.replace(rollout, constants=swapped))
        assert abs(results[DEFAULT_MODULE_ID]["rho_mean"].peek() - 1) > 1e-4, name


CONDITIONS = [
    ["env.target=true"],
    ["env.target=true", "discriminator.condition=complement"],
    ["env.target=true", "discriminator.condition=complement", "discriminator.masks=random", "env.classes=10"],
    ["env.classes=10"],
    ["env.target=true", "objective.name=l2"],
    ["env.target=true", "objective.name=l2", "objective.scales=[1, 4]"],
]


def literal(discriminator, x, label):
    """How real it looks, and how surely of its class."""
    score = discriminator(x)[0]
    return (
        score if label is None else score + discriminator.classes(discriminator.layers(x))[0].softmax(0)[label[0]].log()
    )


def literal_score(learner, run, canvas, index, rollout):
    """The score of one canvas [H, W, C] for the task of one episode."""
    picture = torch.as_tensor(canvas[None])
    target = torch.as_tensor(rollout.task["target"][index : index + 1]) if run.env.target else None
    if run.objective.name == "l2":
        difference = (picture.double() - target).permute(0, 3, 1, 2) / 255
        errors = [
            scale**2 * torch.nn.functional.avg_pool2d(difference, scale).square().mean()
            for scale in run.objective.scales
        ]
        return -sum(errors) / len(errors)
    scorer = learner._scorer
    label = torch.as_tensor(rollout.task["label"][index : index + 1]) if run.env.classes else None
    if not (run.env.target and run.discriminator.condition == "complement"):
        return literal(scorer._discriminator, score_input(picture, target), label)
    generator = torch.Generator().manual_seed(scorer._version)
    mask = draw_masks(run.discriminator.masks, len(rollout.finals), run.env, generator)[index : index + 1]
    shown, hidden = (literal(scorer._discriminator, score_input(picture, target, m), label) for m in (mask, ~mask))
    return (shown + hidden) / 2


@pytest.mark.parametrize("reward", ["final", "difference"])
@pytest.mark.parametrize("settings", CONDITIONS, ids=" ".join)
def test_rewards_of_paintings_that_were_asked_for(run, settings, reward):
    run = config.override(run, ["objective.name=hinge", f"objective.reward={reward}", *settings])
    learner = build(run)
    for seed in range(2):  # the discriminator has learned by the second
        rollout, _ = rollout_of(learner, run, seed)
        rewards = learner._rewards(rollout)
    scale, (episodes, steps) = learner._scale, rewards.shape
    expected = torch.zeros(episodes, steps)
    with torch.no_grad():
        for n in range(episodes):
            canvases = [*rollout.observations["canvas"][n], rollout.finals[n]]
            scores = [literal_score(learner, run, canvas, n, rollout) for canvas in canvases]
            if reward == "final":
                expected[n, -1] = (scores[-1] - scale.mean) / scale.unit
            else:
                expected[n] = torch.stack([after - before for before, after in itertools.pairwise(scores)]) / scale.unit
    assert expected[:, -1].std() > 0.01
    torch.testing.assert_close(rewards, expected, rtol=1e-3, atol=1e-3)


def test_a_step_for_each_minibatch_of_whole_episodes(run):
    learner = build(config.override(run, ["learner.minibatch=3"]))
    update(learner, rollout_of(learner, run, 0)[0])
    (state, *_) = learner.get_optimizer(DEFAULT_MODULE_ID).state.values()
    assert state["step"] == 3  # 3, 3 and 2 of the 8 episodes


def learning_rate(learner, run):
    return update(learner, rollout_of(learner, run, 0)[0])[DEFAULT_MODULE_ID]["learning_rate"].peek()


def test_the_learning_rate_falls_with_the_steps_and_with_the_time(run):
    learner = build(run)
    assert learning_rate(learner, run) == pytest.approx(0.01)
    assert learning_rate(learner, run) == pytest.approx(0.01 * (1 - 0.8 / 4))
    learner.set_progress(0.75)  # by the clock
    assert learning_rate(learner, run) == pytest.approx(0.01 * (1 - 0.8 * 0.75))
    learner.set_progress(2.0)
    assert learning_rate(learner, run) == pytest.approx(0.01 * 0.2)


def test_the_learning_rate_rises_while_warming_up(run):
    learner = build(config.override(run, ["learner.warmup_steps=48", "learner.final_learning_rate=1"]))
    assert [learning_rate(learner, run) for _ in range(4)] == pytest.approx([0.0, 0.005, 0.01, 0.01])


def test_how_much_time_is_over_is_not_restored(run):
    finished, going_on = (build(config.override(run, ["env_steps=none"])) for _ in range(2))
    finished.set_progress(1.0)
    going_on.set_state(finished.get_state())
    assert going_on.progress == 0.0


def test_painting_and_learning_take_denormals_for_zero(run):
    learner = build(run)
    taken = []
    painter_of(learner).encoder.register_forward_hook(lambda *_: taken.append(sys.float_info.min / 2 == 0))
    rollout, _ = rollout_of(learner, run, 0)
    painted = len(taken)
    update(learner, rollout)
    assert 0 < painted < len(taken)
    assert all(taken)


def test_nothing_left_of_the_rollouts_is_no_update(run):
    learner = build(run)
    before = copy.deepcopy(painter_of(learner).state_dict())
    assert update(learner) == {}
    assert all(torch.equal(value, before[name]) for name, value in painter_of(learner).state_dict().items())


def test_gradients_need_not_be_clipped(run):
    env = PaintVectorEnv(run.num_envs, run.env)
    spaces = {DEFAULT_MODULE_ID: (env.single_observation_space, env.single_action_space)}
    learner = SpiralConfig.from_run(run).training(grad_clip=None).build_learner(spaces=spaces)
    before = copy.deepcopy(painter_of(learner).state_dict())
    update(learner, rollout_of(learner, run, 1)[1])
    assert any(not torch.equal(value, before[name]) for name, value in painter_of(learner).state_dict().items())


def test_another_way_to_clip_is_refused(run):
    settings = SpiralConfig.from_run(run).training(grad_clip_by="value")
    with pytest.raises(ValueError, match=r"gradients are clipped by their global norm only, got grad_clip_by='value'"):
        settings.validate()


@pytest.mark.faults("NaN in the gradients of the painter")
def test_gradients_that_are_not_finite_end_the_run_and_touch_no_weight(run):
    learner = build(run)
    _, rollout = rollout_of(learner, run, 1)
    rollout.log_probs[0, 0] = np.nan
    before = copy.deepcopy(painter_of(learner).state_dict())
    with pytest.raises(SpiralError, match=r"^gradients of the painter are not finite, update 0$"):
        update(learner, rollout)
    for name, value in painter_of(learner).state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.faults("NaN in the rewards")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rewards_that_are_not_finite_end_the_run(run, value):
    learner = build(run)
    rollout, _ = rollout_of(learner, run, 1)
    update(learner, rollout)
    rollout.rewards[0, 0] = value
    with pytest.raises(SpiralError, match=r"^rewards of the painter are not finite, update 1$"):
        update(learner, rollout)


@pytest.mark.faults("NaN in the scores of the discriminator")
def test_scores_that_are_not_finite_end_the_run(run):
    learner = build(run)
    rollout, _ = rollout_of(learner, run, 1)
    weights = learner._scorer._discriminator.state_dict()
    learner._scorer._link._newest = learner._scorer._link._newest._replace(
        weights={name: np.full_like(value, 1e30) for name, value in weights.items()}
    )
    with pytest.raises(SpiralError, match=r"^rewards of the painter are not finite, update 0$"):
        update(learner, rollout)


def test_rewards_of_the_environment_are_added(run):
    learner = build(run)
    rollout, _ = rollout_of(learner, run, 0)
    by_score = learner._rewards(rollout)
    learner = build(run)
    both = learner._rewards(dataclasses.replace(rollout, rewards=rollout.rewards + 2))
    torch.testing.assert_close(both, by_score + 2)


def test_the_same_seed_is_the_same_learner(run):
    weights = [build(config.override(run, [f"seed={seed}"])).average_weights() for seed in (1, 1, 2)]
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert any(not np.array_equal(weights[0][name], weights[2][name]) for name in weights[0])
