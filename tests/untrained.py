"""Painters that have learned nothing."""

import torch

from spiral.agents.painter import Painter
from spiral.agents.painter_file import save_painter


def save_untrained(run, folder):
    """The file of a painter of these settings, as training leaves it in a checkpoint's folder; the same every time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        weights = Painter(run.painter, run.env).state_dict()
    path = folder / "painter.npz"
    save_painter(path, {name: value.numpy() for name, value in weights.items()}, run, 240)
    return path
