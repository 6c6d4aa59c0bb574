"""The paper's objective: Wasserstein score with gradient penalty."""

import torch

from spiral.agents import losses
from spiral.agents.objectives.base import OBJECTIVES, AdversarialObjective


@OBJECTIVES.register("wasserstein")
class Wasserstein(AdversarialObjective):
    """Wasserstein score with gradient penalty (SPIRAL, eq. 1)."""

    def loss(self, discriminator, real, fake, generator):
        # One pass over both halves: half the calls, and no batch norm makes the halves depend on each other.
        scores_real, scores_fake = discriminator(torch.cat([real, fake])).chunk(2)
        gap = losses.wasserstein_loss(scores_real, scores_fake)
        pairs = max(1, round(self.config.penalty_share * len(real)))
        mix = torch.rand(pairs, generator=generator, device=generator.device).to(real.device)
        penalty = losses.gradient_penalty(discriminator, real[:pairs], fake[:pairs], mix)
        # Only differences of scores matter to this loss; the drift term keeps their common constant near 0.
        drift = scores_real.square().mean()
        loss = gap + self.config.gradient_penalty * penalty + self.config.drift * drift
        return loss, {"gap": -gap, "gradient_penalty": penalty}
