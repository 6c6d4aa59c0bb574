"""A trained painter as one small file: averaged weights and settings, no code. Torch only, nothing is unpickled."""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from typing import NamedTuple

import numpy as np
import torch

from spiral import config
from spiral.agents.painter import Painter
from spiral.config import RunConfig
from spiral.errors import InputError
from spiral.files import written_whole

FORMAT, VERSION = "spiral-painter", 1
HEADER = "header"  # the one array that is no weight: JSON text


class TrainedPainter(NamedTuple):
    """painter, ready to paint; run, the settings it was trained with; env_steps it was trained for."""

    painter: Painter
    run: RunConfig
    env_steps: int


def save_painter(path: str | os.PathLike, weights: dict[str, np.ndarray], run: RunConfig, env_steps: int) -> None:
    """Write weights, name -> array as in ``Painter.state_dict``, with the settings that rebuild the network."""
    header = {"format": FORMAT, "version": VERSION, "env_steps": env_steps, "run": config.to_dict(run)}
    with written_whole(path) as beside:
        np.savez(beside, **weights, **{HEADER: np.array(json.dumps(header))})


def load_painter(path: str | os.PathLike) -> TrainedPainter:
    """Read a painter file.

    Raises:
        InputError: it is missing, damaged, of an unknown version, or its weights do not fit its settings.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            weights = {name: arrays[name] for name in arrays.files}
        header = json.loads(str(weights.pop(HEADER)))
        if header.get("format") != FORMAT:
            raise InputError(f"{path} is not a painter file")
        if header.get("version") != VERSION:
            raise InputError(
                f"{path} has painter format version {header.get('version')!r}; this program reads {VERSION}: update it"
            )
        run = config.from_dict(header["run"])
        painter = Painter(run.painter, run.env)
        painter.load_state_dict({name: torch.as_tensor(value) for name, value in weights.items()})
        return TrainedPainter(painter.eval(), run, int(header["env_steps"]))
    except FileNotFoundError:
        raise InputError(f"there is no painter file {path}") from None
    except InputError:
        raise
    except (
        OSError,
        EOFError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"cannot read the painter file {path}: it is damaged ({reason}); use another checkpoint"
        ) from None
