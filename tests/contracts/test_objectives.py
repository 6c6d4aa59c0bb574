"""What every registered objective keeps to; a new one is picked up by its registration."""

import pytest
import torch

from spiral.agents import losses
from spiral.agents.discriminator import Discriminator
from spiral.agents.objectives import OBJECTIVES, AdversarialObjective, Objective, TargetObjective
from spiral.config import DiscriminatorConfig, EnvConfig, ObjectiveConfig

COUNT = 12


def pictures(seed, darkness):
    """float32 [COUNT, 1, 16, 16] in [-1, 1]: noise around a grey."""
    noise = torch.rand(COUNT, 1, 16, 16, generator=torch.Generator().manual_seed(seed))
    return (0.6 * noise - darkness).clamp(-1, 1)


REAL, FAKE = pictures(0, darkness=0.0), pictures(1, darkness=0.6)


def make(objective_class, name):
    torch.manual_seed(0)
    objective = objective_class(ObjectiveConfig(name=name))
    config = DiscriminatorConfig(channels=(4, 8))
    discriminator = Discriminator(config, EnvConfig(width=16, height=16), objective.spectral)
    return objective, discriminator


def loss_of(objective, discriminator, real=REAL, fake=FAKE, seed=0):
    return objective.loss(discriminator, real, fake, torch.Generator().manual_seed(seed))


def check_loss(objective_class, name):
    objective, discriminator = make(objective_class, name)
    loss, figures = loss_of(objective, discriminator)
    assert loss.shape == () and loss.isfinite(), "a finite scalar"
    assert "gap" in figures
    assert all(figure.shape == () and figure.isfinite() for figure in figures.values())
    assert loss.requires_grad, "something to minimise"
    loss.backward()
    for parameter, value in discriminator.named_parameters():
        assert value.grad is not None and value.grad.isfinite().all(), parameter
        # Where only differences of scores matter, the bias that moves all of them alike has a gradient of 0.
        assert value.grad.any() or parameter.endswith("bias"), parameter


def check_order_does_not_matter(objective_class, name):
    """Of equal halves: whatever is drawn at random for each pair then makes no difference."""
    objective, discriminator = make(objective_class, name)
    discriminator.eval()  # spectral normalisation stands still
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(0))
    loss, _ = loss_of(objective, discriminator, REAL, REAL)
    same, _ = loss_of(objective, discriminator, REAL[order], REAL[order])
    assert torch.allclose(loss, same, atol=1e-5)


def check_chance_is_the_generators(objective_class, name):
    """The same loss from the same seed, whatever was drawn elsewhere."""
    objective, discriminator = make(objective_class, name)
    discriminator.eval()
    one, same = (loss_of(objective, discriminator)[0] for _ in range(2))
    assert torch.equal(one, same)


def check_learns(objective_class, name):
    """It comes to score pictures it has not seen: light ones over dark ones."""
    objective, discriminator = make(objective_class, name)
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=3e-3, betas=(0.5, 0.9))
    for step in range(60):
        loss, _ = loss_of(objective, discriminator, seed=step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    discriminator.eval()
    with torch.no_grad():
        real, fake = discriminator(pictures(2, darkness=0.0)), discriminator(pictures(3, darkness=0.6))
    assert real.min() > fake.max()
    _, figures = loss_of(objective, discriminator)
    assert figures["gap"] > 0, "the figure has the sign of its name"


CHECKS = [check_loss, check_order_does_not_matter, check_chance_is_the_generators, check_learns]


def registered(kind):
    return [name for name in OBJECTIVES.names() if issubclass(OBJECTIVES.get(name), kind)]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", registered(AdversarialObjective))
def test_a_registered_objective_keeps_the_contract(name, check):
    check(OBJECTIVES.get(name), name)


def test_the_registered_names():
    assert OBJECTIVES.names() == ["gan", "hinge", "l2", "wasserstein"]


@pytest.mark.parametrize("name", OBJECTIVES.names())
def test_an_objective_says_what_it_is_in_one_line(name):
    entry = OBJECTIVES.get(name)
    assert issubclass(entry, Objective)
    assert entry.__doc__ and entry.__doc__ != Objective.__doc__
    assert 10 < len(entry.__doc__.splitlines()[0]) <= 100


class Sound(AdversarialObjective):
    def loss(self, discriminator, real, fake, generator):
        scores_real, scores_fake = discriminator(real), discriminator(fake)
        return losses.hinge_loss(scores_real, scores_fake), {"gap": scores_real.mean() - scores_fake.mean()}


def canvases(seed):
    return torch.randint(256, (COUNT, 16, 24, 3), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


@pytest.mark.parametrize("scales", [(1,), (1, 2, 4), (5,)])
@pytest.mark.parametrize("name", registered(TargetObjective))
def test_of_a_target_objective_the_target_itself_scores_best(name, scales):
    objective = OBJECTIVES.get(name)(ObjectiveConfig(name=name, scales=scales))
    targets = canvases(0)
    perfect, near, far = (objective.score(painted, targets) for painted in (targets, (targets // 2) + 64, canvases(1)))
    assert perfect.shape == (COUNT,) and perfect.isfinite().all()
    assert (perfect > near).all() and (near > far).all()
    order = torch.randperm(COUNT)
    torch.testing.assert_close(objective.score(canvases(1)[order], targets[order]), far[order])


class Detached(Sound):
    """Nothing to learn from."""

    def loss(self, discriminator, real, fake, generator):
        loss, figures = super().loss(discriminator, real, fake, generator)
        return loss.detach(), figures


class OneForEachPicture(Sound):
    def loss(self, discriminator, real, fake, generator):
        return discriminator(fake) - discriminator(real), super().loss(discriminator, real, fake, generator)[1]


class FirstPictureOnly(Sound):
    def loss(self, discriminator, real, fake, generator):
        loss, figures = super().loss(discriminator, real[:1], fake[:1], generator)
        return loss + discriminator(real)[0], figures


class DrawsElsewhere(Sound):
    def loss(self, discriminator, real, fake, generator):
        loss, figures = super().loss(discriminator, real, fake, generator)
        return loss * (1 + torch.rand(())), figures


class UpsideDown(Sound):
    def loss(self, discriminator, real, fake, generator):
        return super().loss(discriminator, fake, real, generator)


@pytest.mark.parametrize(
    "wrong, check",
    [
        (Detached, check_loss),
        (OneForEachPicture, check_loss),
        (FirstPictureOnly, check_order_does_not_matter),
        (DrawsElsewhere, check_chance_is_the_generators),
        (UpsideDown, check_learns),
    ],
)
def test_a_wrong_objective_is_rejected(wrong, check):
    for each in CHECKS:
        each(Sound, "sound")
    with pytest.raises(AssertionError):
        check(wrong, "wrong")
