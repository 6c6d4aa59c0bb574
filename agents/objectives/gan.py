"""The standard GAN loss on a spectrally normalised discriminator."""

import torch

from spiral.agents import losses
from spiral.agents.objectives.base import OBJECTIVES, AdversarialObjective


@OBJECTIVES.register("gan")
class StandardGan(AdversarialObjective):
    """Logistic loss, the standard one, on a spectrally normalised discriminator (SPIRAL++).

    The score is the logarithm of the odds that a picture is real. As it is, it is the painter's reward: that of a
    non-saturating loss, which does not vanish where the discriminator is sure that a painting is none.
    """

    spectral = True

    def loss(self, discriminator, real, fake, generator):
        scores_real, scores_fake = discriminator(torch.cat([real, fake])).chunk(2)
        return losses.logistic_loss(scores_real, scores_fake), {"gap": scores_real.mean() - scores_fake.mean()}
