"""The folder of one training run: its settings, metrics, samples and checkpoints, each in one place."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spiral import config
from spiral.checksums import damaged_files, write_sums
from spiral.config import RunConfig
from spiral.errors import InputError, WriteError
from spiral.files import written_whole
from spiral.painters import painter_names, painter_path

DEFAULT_PRESET = "digits"
KEPT_CHECKPOINTS = 3
PAINTER_FILE = "painter.npz"
STATE_FILE = "state.npz"  # all that a run needs to go on
CHECKPOINT_FILES = (STATE_FILE, PAINTER_FILE)
UNFINISHED, REPLACED = ".unfinished-", ".replaced-"  # what folders' names begin with


class RunFolder:
    """Paths in a run's folder: where its settings, figures, pictures, programs and checkpoints are."""

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.config_file = self.path / "config.json"
        self.metrics_file = self.path / "metrics.jsonl"
        self.sheet = self.path / "sheet.png"
        self.film = self.path / "painting.gif"
        self.samples = self.path / "samples"
        self.programs = self.path / "programs"
        self.checkpoints = self.path / "checkpoints"
        self.tensorboard = self.path / "tensorboard"

    def check_free(self) -> None:
        """See that a new run may begin here.

        Raises:
            InputError: there is a run in it already, or something of somebody's that a run would replace, or it cannot be
                written.
        """
        if self.config_file.exists():
            raise InputError(
                f"there is a run in {self.path} already; go on with it by --resume, or give another folder by --out"
            )
        written = (self.sheet, self.film, self.metrics_file, self.programs, self.samples, self.checkpoints)
        if others := [path.name for path in written if path.exists()]:
            raise InputError(
                f"{self.path} holds no run but {', '.join(others)}, which a run would replace; give another folder by --out"
            )
        nearest = next(folder for folder in (self.path, *self.path.absolute().parents) if folder.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK):
            raise InputError(f"cannot write {self.path}: {nearest} is no folder you may write to; choose one by --out")

    def write_config(self, run: RunConfig) -> None:
        """Write down the settings; makes the folder where it is missing.

        Raises:
            InputError: it cannot be written.
        """
        with written_whole(self.config_file) as beside:
            beside.write_text(json.dumps(config.to_dict(run), indent=2) + "\n")

    def read_config(self) -> RunConfig:
        """The settings the run was started with.

        Raises:
            InputError: there is no run here, or its settings cannot be read.
        """
        try:
            return config.from_dict(json.loads(self.config_file.read_text()))
        except FileNotFoundError:
            raise InputError(f"there is no run in {self.path} (no config.json); start one without --resume") from None
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read the run's settings in {self.config_file}: {error}") from None

    def checkpoint_folders(self) -> list[Path]:
        """Finished checkpoints, oldest first."""
        if not self.checkpoints.is_dir():
            return []
        # One that was being replaced when the run was killed counts until there is the one that replaces it.
        found = {entry.name.removeprefix(REPLACED): entry for entry in sorted(self.checkpoints.iterdir())}
        return [found[name] for name in sorted(found) if name.isdigit() and found[name].is_dir()]

    def newest_checkpoint(self) -> Path | None:
        """None before the first one is finished."""
        return next(reversed(self.checkpoint_folders()), None)

    def checkpoint_to_go_on_from(self) -> Path | None:
        """The newest one; None before the first one is finished. An older one is never taken without being asked for.

        Raises:
            InputError: it is damaged, or of an earlier version; the message names the newest one that is whole.
        """
        newest = self.newest_checkpoint()
        if newest is None:
            return None
        if (newest / "algorithm").exists():
            raise InputError(
                f"{newest} was written by an earlier version of this program, in a form that could run code when it is "
                "read; begin a new run in another folder (--out). The painter in it can still paint"
            )
        damaged = damaged_files(newest, CHECKPOINT_FILES)
        if not damaged:
            return newest
        what = f"{newest} is damaged: {', '.join(damaged)} is not as it was written, or is missing"
        unusable = []
        for checkpoint in reversed(self.checkpoint_folders()):
            if not damaged_files(checkpoint, CHECKPOINT_FILES):
                raise InputError(
                    f"{what}; {checkpoint} is whole: to go on from there, move {' and '.join(unusable)} out of "
                    f"{self.checkpoints} and give the same command again"
                )
            unusable.append(checkpoint.name)
        raise InputError(f"{what}; no older checkpoint is whole; begin a new run in another folder (--out)")

    @contextlib.contextmanager
    def new_checkpoint(self, env_steps: int) -> Iterator[Path]:
        """A folder to write a checkpoint to. It gets its name when the block ends well, so no reader sees half of one.

        The oldest checkpoints beyond ``KEPT_CHECKPOINTS`` are then removed.

        Raises:
            WriteError: something cannot be written; the checkpoints there are stay as they are.
        """
        name = f"{env_steps:012d}"
        final, beside = self.checkpoints / name, self.checkpoints / f"{UNFINISHED}{name}"
        try:
            self._tidy()
            beside.mkdir(parents=True)
            yield beside
            write_sums(beside)
            if final.exists():  # the same step again, after an interruption
                final.rename(self.checkpoints / f"{REPLACED}{name}")
            beside.rename(final)
        except OSError as error:
            raise WriteError(f"cannot write {final}: {error.strerror or error}") from None
        finally:
            self._tidy()

    def _tidy(self) -> None:
        """Remove what a run that was killed, or a full disk, left unfinished, and the checkpoints that are kept no longer."""
        folders = self.checkpoint_folders()
        unwanted = [*self.checkpoints.glob(f"{UNFINISHED}*"), *self.checkpoints.glob(f"{REPLACED}*")]
        for each in (*folders[:-KEPT_CHECKPOINTS], *(each for each in unwanted if each not in folders)):
            shutil.rmtree(each, ignore_errors=True)

    def metrics(self) -> list[dict[str, Any]]:
        """The rows of ``metrics.jsonl``; lines that are no JSON, such as a last one cut short by a crash, are left out."""
        if not self.metrics_file.exists():
            return []
        rows = []
        for line in self.metrics_file.read_text().splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                rows.append(json.loads(line))
        return rows


def find_painter(where: str | os.PathLike) -> Path:
    """The painter file of a run folder (its newest), a checkpoint folder, the file itself, or one of this name.

    Raises:
        InputError: there is none.
    """
    path = Path(where)
    if str(where) in painter_names() and not path.exists():
        return painter_path(str(where))
    if path.is_file():
        return path
    if (path / PAINTER_FILE).is_file():
        return path / PAINTER_FILE
    folder = RunFolder(path)
    if folder.config_file.is_file():
        checkpoint = folder.newest_checkpoint()
        if checkpoint is None:
            raise InputError(
                f"the run in {where} has no finished checkpoint yet; wait for its first, or go on with it: "
                f"spiral train --resume --out {where}"
            )
        return checkpoint / PAINTER_FILE
    raise InputError(
        f"there is no painter at {where}; give a run's folder, a checkpoint's folder, a {PAINTER_FILE}, or the name of a "
        f"painter that is here already: {', '.join(painter_names())}"
    )


def run_from_options(
    preset: str | None,
    out: str | None,
    resume: bool,
    data: str | None,
    minutes: float | None,
    env_steps: int | None,
    cpu_seconds: float | None,
    seed: int | None,
    settings: Sequence[str],
) -> tuple[RunConfig, Path]:
    """The settings and folder of the run a user asked for: a preset's or a resumed run's, with what was said on top.

    A budget that is given replaces the preset's: ``minutes`` alone takes its limits of steps and of CPU seconds away.

    Raises:
        InputError: they do not go together, or one is not accepted.
    """
    if resume and preset is not None:
        raise InputError(f"--resume takes the settings of the run, not of preset {preset!r}; leave the preset out")
    if resume and seed is not None:
        raise InputError("--resume goes on with the run's own seed; leave --seed out")
    path = Path(out or f"runs/{preset or DEFAULT_PRESET}")
    run = RunFolder(path).read_config() if resume else config.preset(preset or DEFAULT_PRESET)
    given = {"data": data, "seed": seed}
    changes = {name: value for name, value in given.items() if value is not None}
    budget = {"minutes": minutes, "env_steps": env_steps, "cpu_seconds": cpu_seconds}
    if any(limit is not None for limit in budget.values()):
        changes |= budget
    return config.override(config.updated(run, changes), list(settings)), path
