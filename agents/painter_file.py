"""A trained painter as one small file: averaged weights and settings, no code. Torch only, nothing is unpickled."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from spiral import config
from spiral.agents.painter import Painter
from spiral.config import RunConfig
from spiral.datasets import without_folders
from spiral.errors import InputError
from spiral.files import read_arrays, written_whole
from spiral.run_folder import find_painter

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
        np.savez_compressed(beside, **weights, **{HEADER: np.array(json.dumps(header))})


def publish(where: str | os.PathLike, output: str | os.PathLike) -> str:
    """Write a painter as a file to give away: half the size, for painting rather than for training on.

    Of its data it has the name, without folders.

    Args:
        where: a run's folder, a checkpoint's, a painter file, or the name of a painter that comes with the package.
        output: the file, ``.npz``.

    Returns:
        A line on what was written.

    Raises:
        InputError: there is no such painter, or the file cannot be written there.
    """
    if Path(output).suffix != ".npz":
        raise InputError(f"cannot write {output}: a painter file is an .npz file")
    trained = load_painter(find_painter(where))
    # Rounding weights to half precision changes no figure that RESULTS.md gives by more than another seed would.
    weights = {name: value.numpy().astype(np.float16) for name, value in trained.painter.state_dict().items()}
    run = dataclasses.replace(trained.run, data=without_folders(trained.run.data))
    save_painter(output, weights, run, trained.env_steps)
    return f"{output}: {Path(output).stat().st_size / 1000:.0f} kB, {trained.env_steps:,} steps of {run.data}"


def load_painter(path: str | os.PathLike) -> TrainedPainter:
    """Read a painter file.

    Raises:
        InputError: it is missing, damaged, of an unknown version, or its weights do not fit its settings.
    """
    try:
        with open(path, "rb") as file:
            begin = file.read(2)
        weights = read_arrays(path) if begin == b"PK" else {}
        header = json.loads(str(weights.pop(HEADER, "{}")))
        if header.get("format") != FORMAT:
            raise InputError(f"{path} is not a painter file (.npz); spiral train and spiral publish write them")
        if header.get("version") != VERSION:
            raise InputError(
                f"{path} has painter format version {header.get('version')!r}; this program reads {VERSION}: update it"
            )
        run = _run(header["run"], path)
        painter = Painter(run.painter, run.env)
        painter.load_state_dict({name: torch.as_tensor(value) for name, value in weights.items()})
        return TrainedPainter(painter.eval(), run, int(header["env_steps"]))
    except FileNotFoundError:
        raise InputError(f"there is no painter file {path}") from None
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"cannot read the painter file {path}: it is damaged ({reason}); use another checkpoint"
        ) from None


def _run(settings: dict, path: str | os.PathLike) -> RunConfig:
    try:
        return config.from_dict(settings)
    except InputError as error:
        raise InputError(
            f"the painter file {path} has settings that are unknown here ({error}); was it made by a newer version of this "
            "program? Update it"
        ) from None
