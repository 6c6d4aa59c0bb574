"""Painting to a folder: the wiring of ``spiral paint``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from spiral.commission import Commission, Options, commissions, reset_options
from spiral.errors import InputError
from spiral.files import refuse_to_overwrite
from spiral.freed_memory import keep_freed_memory
from spiral.metrics import squared_error
from spiral.one_thread import one_thread
from spiral.paint import paint
from spiral.pictures import pair_sheet, sample_sheet, save_png
from spiral.program import Program
from spiral.program_folder import SHEET, program_files, save_folder
from spiral.progress import Watch, unwatched
from spiral.run_folder import PAINTER_FILE, find_painter
from spiral.tile_painting import paint_tiles

if TYPE_CHECKING:
    from spiral.agents.painter_file import TrainedPainter  # it imports torch


class Painted(NamedTuple):
    """What was written, as lines to print, and ``Result.figures`` of each painting with its file."""

    text: str
    figures: list[dict[str, Any]]


def paint_to_folder(where: str, output: str, options: Options | None = None, watch: Watch = unwatched) -> Painted:
    """Paint with a painter on disk; write programs (``000.json``, ...) and a sheet (``sheet.png``) to a folder.

    Paintings of given pictures are written as PNG, too, and the sheet shows each beside its picture.

    Args:
        where: a run's folder, a checkpoint's, a painter file, or the name of a painter that comes with the package.
        output: the folder; made where it is missing, files of the same names are replaced.
        options: what is asked for; sixteen paintings where None.
        watch: told of the patches of a target that is painted by tiles.

    Raises:
        InputError: there is no such painter, it does not paint what is asked for, a file that is given cannot be used,
            or the folder cannot be written.
    """
    options = options or Options()
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"cannot write paintings to {output}: it is a file; give a folder")
    painter_file = find_painter(where)

    from spiral.agents.painter_file import load_painter

    trained = load_painter(painter_file)
    name = _name(where)
    asked = commissions(options, trained.run.env, name)
    files = program_files(folder, len(asked))
    pngs = [file.with_suffix(".png") for file in files] if options.targets else []
    refuse_to_overwrite(options.files, [*files, *pngs, folder / SHEET])

    keep_freed_memory()
    with one_thread():  # the paintings of a seed are then the same on machines of any number of cores
        results = (_by_tiles if options.tiles else _as_wholes)(trained, asked, options, watch)
    origin = f"{name}, {trained.env_steps} steps"
    written = save_folder([result.program_of(origin) for result in results], folder, _sheet(results))
    for png, result in zip(pngs, results, strict=False):  # without targets there are none
        save_png(result.canvas, png)
    pairs = list(zip(map(str, files), results, strict=True))
    lines = [f"{file}: {'; '.join(result.words)}" for file, result in pairs if options.targets]
    advised = [each.target.advice for each in asked if each.target and trained.run.objective.finest == 1]
    advice = dict.fromkeys(filter(None, advised))  # none where greys are painted: photographs may be dark
    return Painted(
        "\n".join([*lines, *advice, written]), [{"program": file} | result.figures for file, result in pairs]
    )


def _name(where: str) -> str:
    """What a painter is called: as its folder or its file, or by the name it comes with."""
    path = Path(where).resolve()
    return path.parent.name if path.name == PAINTER_FILE else path.name.removesuffix(".npz")


class Result(NamedTuple):
    """A painting: what was asked for, its program, its canvas uint8 [H, W, C], and how far it is from the target.

    That is the mean squared error, values in 0..1, at a scale as of `squared_error`; None without a target.
    """

    asked: Commission
    program: Program
    canvas: np.ndarray
    error: float | None
    scale: int

    @classmethod
    def of(cls, asked: Commission, program: Program, canvas: np.ndarray, scale: int) -> Result:
        target = asked.target
        error = None if target is None else squared_error(canvas[np.newaxis], target.pixels[np.newaxis], scale)
        return cls(asked, program, canvas, error, scale)

    @property
    def words(self) -> list[str]:
        if self.error is None:
            return self.asked.words
        of_what = f" of blocks of {self.scale} x {self.scale} pixels" if self.scale > 1 else ""
        return [*self.asked.words, f"mean squared error{of_what} {self.error:.4f}"]

    @property
    def figures(self) -> dict[str, Any]:
        label = {} if self.asked.label is None else {"label": self.asked.label}
        return label if self.error is None else label | {"target": self.asked.target.name, "squared_error": self.error}

    def program_of(self, painter: str) -> Program:
        """The program, with all that is known of where it comes from."""
        return dataclasses.replace(self.program, origin="; ".join([painter, *self.words]))


def _as_wholes(trained: TrainedPainter, asked: Sequence[Commission], options: Options, watch: Watch) -> list[Result]:
    tries = [each for each in asked for _ in range(options.best_of)]
    given = reset_options(tries)
    greedy = options.greedy_of(len(asked))
    paintings = paint(trained.painter, trained.run.env, len(tries), options.seed, greedy, given=given)
    scale = trained.run.objective.finest
    results = [Result.of(*painting, scale) for painting in zip(tries, *paintings, strict=True)]
    if options.best_of == 1:
        return results
    groups = (results[first : first + options.best_of] for first in range(0, len(results), options.best_of))
    return [min(group, key=lambda result: result.error) for group in groups]


def _by_tiles(trained: TrainedPainter, asked: Sequence[Commission], options: Options, watch: Watch) -> list[Result]:
    painter, env, scale = trained.painter, trained.run.env, trained.run.objective.finest
    return [
        Result.of(each, *paint_tiles(painter, env, each, options, number, watch, scale), scale)
        for number, each in enumerate(asked)
    ]


def _sheet(results: Sequence[Result]) -> np.ndarray:
    """Every painting beside its target, if it has one."""
    canvases = [result.canvas for result in results]
    if results[0].error is None:
        return sample_sheet(np.stack(canvases))
    return pair_sheet([result.asked.target.pixels for result in results], canvases)
