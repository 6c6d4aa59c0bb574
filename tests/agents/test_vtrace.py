import math

import pytest
import torch

from spiral.agents.vtrace import clipped, normalized, vtrace


def literally(log_rhos, rewards, values, discount, trace, rho_clip, c_clip):
    """Targets and advantages of one episode by the sums of Espeholt et al. 2018, equation 1 and section 4.2."""
    steps = len(rewards)
    values = [*values, 0.0]  # the state after the last step is worth nothing
    rho = [min(rho_clip, math.exp(x)) for x in log_rhos]
    c = [trace * min(c_clip, math.exp(x)) for x in log_rhos]
    targets = []
    for s in range(steps):
        target = values[s]
        for t in range(s, steps):
            delta = rho[t] * (rewards[t] + discount * values[t + 1] - values[t])
            target += discount ** (t - s) * math.prod(c[s:t]) * delta
        targets.append(target)
    following = [*targets[1:], 0.0]
    advantages = [rho[s] * (rewards[s] + discount * following[s] - values[s]) for s in range(steps)]
    return targets, advantages


def draw(seed, episodes=4, steps=6):
    return torch.randn(3, episodes, steps, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("discount", [1.0, 0.9, 0.0])
@pytest.mark.parametrize("trace", [1.0, 0.95, 0.0])
@pytest.mark.parametrize("rho_clip, c_clip", [(1.0, 1.0), (2.0, 0.5), (1e9, 1e9)])
def test_targets_and_advantages_are_the_sums_of_the_paper(discount, trace, rho_clip, c_clip):
    given = draw(seed=0)
    settings = {"discount": discount, "trace": trace, "rho_clip": rho_clip, "c_clip": c_clip}
    targets, advantages = vtrace(*given, **settings)
    for index in range(given.shape[1]):
        expected_targets, expected_advantages = literally(*given[:, index].tolist(), **settings)
        assert targets[index].tolist() == pytest.approx(expected_targets, rel=1e-9, abs=1e-12)
        assert advantages[index].tolist() == pytest.approx(expected_advantages, rel=1e-9, abs=1e-12)


def test_defaults_are_those_of_the_paper():
    given = draw(seed=1)
    plain = vtrace(*given, discount=0.9)
    spelled_out = vtrace(*given, discount=0.9, trace=1.0, rho_clip=1.0, c_clip=1.0)
    assert torch.equal(plain.targets, spelled_out.targets)
    assert torch.equal(plain.advantages, spelled_out.advantages)


def test_on_policy_the_targets_are_the_returns_whatever_the_values():
    _, rewards, values = draw(seed=2)
    targets, advantages = vtrace(torch.zeros_like(rewards), rewards, values, discount=1.0)
    returns = rewards.flip(1).cumsum(1).flip(1)
    assert torch.allclose(targets, returns)
    assert torch.allclose(advantages, returns - values)
    discounted = vtrace(torch.zeros_like(rewards), rewards, values, discount=0.9).targets
    assert not torch.allclose(discounted, returns, atol=1e-3)


def test_an_action_the_learner_would_never_take_teaches_nothing():
    log_rhos, rewards, values = draw(seed=3)
    targets, advantages = vtrace(torch.full_like(log_rhos, -100.0), rewards, values, discount=1.0)
    assert torch.allclose(targets, values)
    assert torch.allclose(advantages, torch.zeros_like(values))


def test_episodes_do_not_mix_and_one_step_is_enough():
    given = draw(seed=4)
    whole = vtrace(*given, discount=0.9).targets
    assert torch.equal(vtrace(*given[:, 1:2], discount=0.9).targets, whole[1:2])
    last = vtrace(*given[:, :, -1:], discount=0.9).targets
    assert torch.equal(last, whole[:, -1:]), "nothing comes after the last step"


def test_nothing_has_a_gradient():
    log_rhos, rewards, values = (x.requires_grad_() for x in draw(seed=5))
    targets, advantages = vtrace(log_rhos, rewards, values, discount=1.0)
    assert not targets.requires_grad
    assert not advantages.requires_grad


@pytest.mark.parametrize("size, spread", [(4.0, 1.0), (0.1, None)])
def test_advantages_are_scaled_down_and_never_up(size, spread):
    advantages = 3.0 + size * torch.randn(50, 3)
    small = normalized(advantages)
    assert small.mean().item() == pytest.approx(0, abs=1e-5)
    assert small.std(correction=0).item() == pytest.approx(spread or advantages.std(correction=0).item(), rel=1e-4)


def test_nothing_is_gained_by_going_further_than_the_clip():
    log_rhos = torch.tensor([0.5, 0.9, 1.1, 1.5, 0.5, 0.9, 1.1, 1.5]).log().requires_grad_()
    advantages = torch.tensor([2.0] * 4 + [-2.0] * 4)
    gains = clipped(log_rhos, advantages, 0.2)
    assert gains.tolist() == pytest.approx([1.0, 1.8, 2.2, 2.4, -1.6, -1.8, -2.2, -3.0])
    gains.sum().backward()
    assert (log_rhos.grad != 0).tolist() == [True, True, True, False, False, True, True, True]
