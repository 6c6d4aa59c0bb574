"""The newest canvases of a population: what a discriminator that its members share draws its fakes from."""

from __future__ import annotations

from typing import Any

import numpy as np

from spiral.agents.image_buffer import Examples

OLD = 10  # rollouts that members send on average until one that sends nothing has none to be drawn from any more


class NewestCanvases:
    """One rollout of each member, its newest; of every member as many canvases are drawn, however fast each paints.

    In place of an ``ImageBuffer``: what several painters finish is varied enough without older canvases (SPIRAL++). So
    nobody is waited for, and those of a member that stopped are forgotten after a while.
    """

    def __init__(self):
        self._count = 0  # rollouts that all members have sent
        self._rollouts: dict[str, tuple[int, Examples]] = {}  # of each member its newest, and the count then

    def __len__(self) -> int:
        """Members."""
        return len(self._rollouts)

    def add(self, member: str, examples: Examples) -> None:
        """Take N >= 1 examples in place of those there are of this member."""
        self._count += 1
        self._rollouts[member] = self._count, {name: values.copy() for name, values in examples.items()}
        oldest = self._count - OLD * len(self)
        self._rollouts = {name: rollout for name, rollout in self._rollouts.items() if rollout[0] >= oldest}

    def forget(self, member: str) -> None:
        """Draw nothing of this member until it sends something again."""
        self._rollouts.pop(member, None)

    def sample(self, n: int, rng: np.random.Generator) -> Examples:
        """n examples, with replacement: of each member as many, in turn; where it does not come out even, chance decides.

        Raises:
            ValueError: there are none.
        """
        if not self._rollouts:
            raise ValueError("there are no canvases: add some before sampling from them")
        rollouts = [examples for _, examples in self._rollouts.values()]
        whose = (np.arange(n) + rng.integers(len(rollouts))) % len(rollouts)
        drawn = {name: np.empty((n, *values.shape[1:]), values.dtype) for name, values in rollouts[0].items()}
        for member, rollout in enumerate(rollouts):
            (places,) = np.nonzero(whose == member)
            picks = rng.integers(len(rollout["canvas"]), size=len(places))
            for name, values in rollout.items():
                drawn[name][places] = values[picks]
        return drawn

    def get_state(self) -> dict[str, Any]:
        return {"count": self._count, "rollouts": self._rollouts.copy()}

    def set_state(self, state: dict[str, Any]) -> None:
        self._count, self._rollouts = state["count"], state["rollouts"].copy()
