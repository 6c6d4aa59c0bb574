"""Hinge loss on a spectrally normalised discriminator."""

import torch

from spiral.agents import losses
from spiral.agents.objectives.base import OBJECTIVES, AdversarialObjective


@OBJECTIVES.register("hinge")
class Hinge(AdversarialObjective):
    """Hinge loss, spectrally normalised discriminator (in the way of SPIRAL++)."""

    spectral = True

    def loss(self, discriminator, real, fake, generator):
        scores_real, scores_fake = discriminator(torch.cat([real, fake])).chunk(2)
        return losses.hinge_loss(scores_real, scores_fake), {"gap": scores_real.mean() - scores_fake.mean()}
