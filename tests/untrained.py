"""Painters that have learned nothing."""

import torch

from spiral.agents.painter import Painter
from spiral.agents.painter_file import save_painter


def save_untrained(run, folder, sharpness=1.0):
    """The file of a painter of these settings, as training leaves it in a checkpoint's folder; the same every time.

    At first all choices are about equally probable, whatever a painter sees; logits that are times ``sharpness`` what
    they were make them differ.
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        weights = Painter(run.painter, run.env).state_dict()
    for name in weights:
        if name.startswith("heads.logits."):
            weights[name] *= sharpness
    path = folder / "painter.npz"
    save_painter(path, {name: value.numpy() for name, value in weights.items()}, run, 240)
    return path
