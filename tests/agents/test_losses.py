import math

import pytest
import torch

from spiral.agents import losses
from spiral.agents.discriminator import Discriminator
from spiral.config import DiscriminatorConfig, EnvConfig


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def linear(weights):
    return lambda pictures: (pictures * weights).flatten(1).sum(dim=1)


def half_square(pictures):
    """Its slope at any picture is that picture."""
    return pictures.square().flatten(1).sum(dim=1) / 2


def test_the_wasserstein_loss_is_the_difference_of_the_means():
    real, fake = torch.tensor([1.0, 2.0, 6.0]), torch.tensor([-1.0, 5.0])
    assert losses.wasserstein_loss(real, fake).item() == 2 - 3


def test_the_hinge_loss_asks_for_margins_of_one_and_no_more():
    real, fake = torch.tensor([3.0, 1.0, 0.5, -1.0]), torch.tensor([-3.0, -1.0, -0.5, 1.0])
    assert losses.hinge_loss(real, fake).item() == (0 + 0 + 0.5 + 2) / 4 + (0 + 0 + 0.5 + 2) / 4
    beyond = torch.tensor([1.5], requires_grad=True)
    losses.hinge_loss(beyond, -beyond).backward()
    assert beyond.grad.item() == 0


def test_the_logistic_loss_is_the_negative_log_likelihood_of_real_and_painted():
    real, fake = torch.tensor([math.log(3.0), 0.0]), torch.tensor([math.log(4.0)])
    likelihoods = (-math.log(3 / 4) - math.log(1 / 2)) / 2 - math.log(1 / 5)
    assert losses.logistic_loss(real, fake).item() == pytest.approx(likelihoods)
    sure = torch.tensor([200.0], requires_grad=True)  # sigmoid and logarithm, one after the other, would give infinity
    losses.logistic_loss(-sure, sure).backward()
    assert sure.grad.item() == 2


def test_the_penalty_of_a_linear_discriminator_is_its_closed_form():
    weights, mix = draw(2, 3, 5, seed=1).requires_grad_(), torch.tensor([0.0, 0.2, 0.7, 1.0])
    penalty = losses.gradient_penalty(linear(weights), draw(4, 2, 3, 5, seed=2), draw(4, 2, 3, 5, seed=3), mix)
    norm = weights.detach().norm()
    assert penalty.item() == pytest.approx((norm.item() - 1) ** 2)
    penalty.backward()
    assert torch.allclose(weights.grad, 2 * (norm - 1) * weights.detach() / norm), "it reaches the weights"


def test_a_linear_discriminator_of_slope_one_is_not_penalised():
    weights = draw(1, 4, 4)
    pictures = draw(3, 1, 4, 4, seed=1)
    assert losses.gradient_penalty(
        linear(weights / weights.norm()), pictures, -pictures, torch.full((3,), 0.5)
    ).item() == pytest.approx(0)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_slope_is_taken_between_the_fake_picture_and_the_real_one(share):
    real, fake = draw(4, 1, 3, 5, seed=1), draw(4, 1, 3, 5, seed=2)
    penalty = losses.gradient_penalty(half_square, real, fake, torch.full((4,), share, dtype=torch.float64))
    between = share * real + (1 - share) * fake
    norms = between.flatten(1).norm(dim=1)
    assert penalty.item() == pytest.approx((norms - 1).square().mean().item())


def test_each_pair_is_mixed_by_its_own_share():
    real, fake = torch.full((2, 1, 1, 1), 3.0), torch.full((2, 1, 1, 1), 7.0)
    penalty = losses.gradient_penalty(half_square, real, fake, torch.tensor([0.0, 1.0]))
    assert penalty.item() == ((7 - 1) ** 2 + (3 - 1) ** 2) / 2


@pytest.mark.parametrize("loss", [losses.wasserstein_loss, losses.hinge_loss, losses.logistic_loss])
def test_one_step_down_the_loss_raises_real_scores_over_fake_ones(loss):
    torch.manual_seed(0)
    discriminator = Discriminator(DiscriminatorConfig(channels=(4, 8)), EnvConfig(width=16, height=16), spectral=False)
    real, fake = draw(8, 1, 16, 16, seed=1).float(), draw(8, 1, 16, 16, seed=2).float()

    def gap():
        return (discriminator(real).mean() - discriminator(fake).mean()).item()

    before = gap()
    loss(discriminator(real), discriminator(fake)).backward()
    torch.optim.SGD(discriminator.parameters(), lr=1e-3).step()
    assert gap() > before


def test_the_penalty_has_a_gradient_to_every_weight_of_a_discriminator():
    torch.manual_seed(0)
    discriminator = Discriminator(DiscriminatorConfig(channels=(4, 8)), EnvConfig(width=16, height=16), spectral=False)
    real, fake = draw(8, 1, 16, 16, seed=1).float(), draw(8, 1, 16, 16, seed=2).float()
    losses.gradient_penalty(discriminator, real, fake, torch.linspace(0, 1, 8)).backward()
    weights = {name: value for name, value in discriminator.named_parameters() if name.endswith("weight")}
    assert len(weights) == 3
    for name, weight in weights.items():
        assert weight.grad.abs().max() > 0, name
