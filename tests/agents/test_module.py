"""The painter as RLlib sees it; no Ray cluster is needed."""

import dataclasses

import pytest
import torch
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module import RLModuleSpec
from rollouts import observed

from spiral.agents.heads import joint_log_prob
from spiral.agents.module import PainterModule
from spiral.agents.rollout import paint_rollout
from spiral.config import EnvConfig, PainterConfig
from spiral.envs.vector import PaintVectorEnv

TINY = EnvConfig(width=16, height=16, grid=2, episode_length=3, sizes=(0.1, 0.4), pressures=(1.0,), noise_size=2)
PAINTER = PainterConfig(hidden=16, channels=(4, 8), location_embedding=4)
LOGITS = 2 + 4 + 4 + 2 + 1

with_and_without_lstm = pytest.mark.parametrize("lstm", [0, 8], ids=["feed-forward", "lstm"])


def make_module(lstm=0, seed=0, env=TINY):
    torch.manual_seed(seed)
    spaces = PaintVectorEnv(1, env)
    module = RLModuleSpec(
        module_class=PainterModule,
        observation_space=spaces.single_observation_space,
        action_space=spaces.single_action_space,
        model_config={
            "painter": dataclasses.asdict(dataclasses.replace(PAINTER, lstm=lstm)),
            "env": dataclasses.asdict(env),
        },
    ).build()
    with torch.no_grad():  # far from uniform, unlike an untrained painter's choices
        for head in module.painter.heads.logits.values():
            head.weight.normal_(0, 0.1)
    return module


def paint(module, episodes=4):
    env = PaintVectorEnv(episodes, module.painter.env)
    return paint_rollout(env, module.painter, torch.Generator().manual_seed(0), seed=0)


def whole_episodes(module):
    """A batch [B, T] as this project's learner makes it."""
    rollout = paint(module)
    return {
        Columns.OBS: observed(rollout),
        Columns.ACTIONS: torch.as_tensor(rollout.actions).long(),
        Columns.ACTION_LOGP: torch.as_tensor(rollout.log_probs),
    }


def at_time(batch, t):
    """One step of it, with leading dimension [B], or [B, 1] for ``t`` a slice."""
    return {
        Columns.OBS: {name: values[:, t] for name, values in batch[Columns.OBS].items()},
        Columns.ACTIONS: batch[Columns.ACTIONS][:, t],
    }


def batch_state(module, count=4):
    return {name: value.expand(count, -1) for name, value in module.get_initial_state().items()}


@with_and_without_lstm
@pytest.mark.parametrize("t, lead", [(0, (4,)), (slice(0, 1), (4, 1))], ids=["B", "B1"])
@pytest.mark.parametrize("forward", ["forward_exploration", "forward_inference"])
def test_acting_gives_actions_and_their_log_probs(lstm, t, lead, forward):
    module = make_module(lstm)
    batch = at_time(whole_episodes(module), t) | {Columns.STATE_IN: batch_state(module)}
    output = getattr(module, forward)(batch)
    assert output[Columns.ACTIONS].shape == (*lead, 5)
    assert output[Columns.ACTION_LOGP].shape == lead
    state = output.get(Columns.STATE_OUT, {})
    assert {name: value.shape for name, value in state.items()} == ({"h": (4, 8), "c": (4, 8)} if lstm else {})

    again = module.forward_train(batch | {Columns.ACTIONS: output[Columns.ACTIONS]})
    distribution = module.get_train_action_dist_cls().from_logits(again[Columns.ACTION_DIST_INPUTS])
    assert torch.allclose(distribution.logp(output[Columns.ACTIONS]), output[Columns.ACTION_LOGP], atol=1e-5)


def test_exploration_samples_and_inference_does_not():
    module = make_module()
    batch = at_time(whole_episodes(module), 0)
    sampled = torch.stack([module.forward_exploration(batch)[Columns.ACTIONS] for _ in range(20)])
    greedy = torch.stack([module.forward_inference(batch)[Columns.ACTIONS] for _ in range(20)])
    assert len(sampled.unique(dim=0)) > 1
    assert len(greedy.unique(dim=0)) == 1


@with_and_without_lstm
def test_training_on_whole_episodes_finds_the_runners_log_probs(lstm):
    module = make_module(lstm)
    batch = whole_episodes(module)
    output = module.forward_train(batch)
    assert output[Columns.ACTION_DIST_INPUTS].shape == (4, 3, LOGITS)
    distribution = module.get_train_action_dist_cls().from_logits(output[Columns.ACTION_DIST_INPUTS])
    log_probs = distribution.logp(batch[Columns.ACTIONS])
    assert torch.allclose(log_probs, batch[Columns.ACTION_LOGP], atol=1e-5)
    assert log_probs.requires_grad
    wrong = distribution.logp(batch[Columns.ACTIONS].flip(0))
    assert (wrong - batch[Columns.ACTION_LOGP]).abs().max() > 0.1


@with_and_without_lstm
def test_training_reaches_every_part_of_the_network(lstm):
    module = make_module(lstm, env=dataclasses.replace(TINY, pressures=(0.5, 1.0)))
    batch = whole_episodes(module)
    output = module.forward_train(batch)
    distribution = module.get_train_action_dist_cls().from_logits(output[Columns.ACTION_DIST_INPUTS])
    values = module.compute_values(batch, embeddings=output[Columns.EMBEDDINGS])
    (distribution.logp(batch[Columns.ACTIONS]).square().sum() + values.square().sum()).backward()
    assert [name for name, parameter in module.named_parameters() if not parameter.grad.any()] == []


@with_and_without_lstm
def test_values_are_the_same_with_and_without_the_embeddings_of_the_forward_pass(lstm):
    module = make_module(lstm)
    batch = whole_episodes(module)
    values = module.compute_values(batch)
    assert values.shape == (4, 3)
    embeddings = module.forward_train(batch)[Columns.EMBEDDINGS]
    assert torch.allclose(module.compute_values(batch, embeddings=embeddings), values)
    assert module.compute_values(at_time(batch, 0)).shape == (4,)
    assert torch.allclose(module.compute_values(at_time(batch, 0)), values[:, 0], atol=1e-5)


def test_training_goes_on_from_the_recurrent_state_it_is_given():
    module = make_module(lstm=8)
    batch = whole_episodes(module)
    whole = module.forward_train(batch)[Columns.ACTION_DIST_INPUTS]
    first = module.forward_exploration(at_time(batch, slice(0, 1)) | {Columns.STATE_IN: batch_state(module)})
    rest = at_time(batch, slice(1, None))
    continued = module.forward_train(rest | {Columns.STATE_IN: first[Columns.STATE_OUT]})
    assert torch.allclose(continued[Columns.ACTION_DIST_INPUTS], whole[:, 1:], atol=1e-5)
    fresh = module.forward_train(rest)
    assert not torch.allclose(fresh[Columns.ACTION_DIST_INPUTS], whole[:, 1:], atol=1e-3)


def test_an_episode_begins_with_a_state_of_zeros():
    assert make_module().get_initial_state() == {}
    state = make_module(lstm=8).get_initial_state()
    assert state.keys() == {"h", "c"}
    for value in state.values():
        assert torch.equal(value, torch.zeros(8))


def one_distribution(module, actions):
    """Of the same observation for each of ``actions`` [N, parts], which the logits follow."""
    batch = at_time(whole_episodes(module), 1)
    observation = {
        name: values[:1].expand(len(actions), *values.shape[1:]) for name, values in batch[Columns.OBS].items()
    }
    logits = module.forward_train({Columns.OBS: observation, Columns.ACTIONS: actions})[Columns.ACTION_DIST_INPUTS]
    return module.get_train_action_dist_cls().from_logits(logits.detach())


def all_actions(module):
    return torch.cartesian_prod(*(torch.arange(int(n)) for n in module.painter.table.nvec))


def distinct_actions(module):
    """The actions that stand for themselves, 36 with simple strokes: those whose masked parts are 0."""
    actions = all_actions(module)
    return actions[((actions == 0) | module.painter.masks(actions)).all(-1)]


def test_the_distribution_is_the_joint_one():
    module = make_module()
    actions = distinct_actions(module)
    distribution = one_distribution(module, actions)
    assert [part.shape for part in distribution.logits] == [(36, n) for n in (2, 4, 4, 2, 1)]
    log_probs = distribution.logp(actions)
    assert torch.equal(log_probs, joint_log_prob(distribution.logits, actions, module.painter.masks(actions)))
    assert log_probs.exp().sum().item() == pytest.approx(1, abs=1e-5)
    assert 0.1 < distribution.logits[0].softmax(-1)[0, 0] < 0.9, "moves and strokes both count"
    exact = -(log_probs.exp() * log_probs).sum()
    summed = distribution.part_entropies(actions).sum(-1)
    assert (log_probs.exp() * summed).sum().item() == pytest.approx(exact.item(), abs=1e-4)


def forget_choices(module):
    """Make the parts independent of each other: then one action's logits tell the whole distribution."""
    with torch.no_grad():
        for mix in module.painter.heads.mixes.values():
            for parameter in mix.parameters():
                parameter.zero_()


@pytest.mark.parametrize("strokes", ["simple", "compound"])
def test_the_entropy_is_exact_where_parts_do_not_depend_on_each_other(strokes):
    module = make_module(env=dataclasses.replace(TINY, strokes=strokes))
    forget_choices(module)
    actions = distinct_actions(module)
    distribution = one_distribution(module, actions)
    log_probs = distribution.logp(actions)
    exact = -(log_probs.exp() * log_probs).sum()
    assert torch.allclose(distribution.entropy(), exact, atol=1e-4)


def test_the_entropy_weights_the_parts_of_a_stroke_with_the_probability_of_painting():
    module = make_module()
    distribution = one_distribution(module, distinct_actions(module))
    flag, end, *stroke = (torch.distributions.Categorical(logits=part).entropy() for part in distribution.logits)
    paints = distribution.logits[0].softmax(-1)[:, 1]
    assert torch.allclose(distribution.entropy(), flag + end + paints * sum(stroke), atol=1e-5)


def test_the_divergence_is_exact_where_parts_do_not_depend_on_each_other():
    modules = [make_module(seed=seed) for seed in (0, 1)]
    for module in modules:
        forget_choices(module)
    actions = distinct_actions(modules[0])
    p, q = (one_distribution(module, actions) for module in modules)
    exact = (p.logp(actions).exp() * (p.logp(actions) - q.logp(actions))).sum()
    assert exact > 0.1
    assert torch.allclose(p.kl(q), exact.expand(36), atol=1e-4)
    assert torch.allclose(p.kl(p), torch.zeros(36), atol=1e-6)


def test_finished_logits_cannot_be_sampled_from():
    module = make_module()
    distribution = one_distribution(module, all_actions(module))
    with pytest.raises(NotImplementedError, match="parts depend on each other: sample with Painter.forward"):
        distribution.sample()
    assert distribution.required_input_dim(module.action_space) == LOGITS


def test_distributions_of_two_painters_keep_to_their_own_actions():
    one, other = make_module(), make_module(env=dataclasses.replace(TINY, grid=3))
    assert one.get_train_action_dist_cls().painter is one.painter
    assert other.get_train_action_dist_cls().painter is other.painter


@with_and_without_lstm
def test_the_state_survives_a_round_trip(lstm):
    module, other = make_module(lstm, seed=0), make_module(lstm, seed=1)
    batch = whole_episodes(module)
    expected = module.forward_train(batch)[Columns.ACTION_DIST_INPUTS]
    assert not torch.allclose(other.forward_train(batch)[Columns.ACTION_DIST_INPUTS], expected, atol=1e-3)
    other.set_state(module.get_state())
    assert torch.equal(other.forward_train(batch)[Columns.ACTION_DIST_INPUTS], expected)
