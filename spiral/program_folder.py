"""A folder of stroke programs and a sheet that shows them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from spiral.errors import InputError
from spiral.pictures import centred, sample_sheet, save_png
from spiral.program import Program, replay
from spiral.words import counted

SHEET = "sheet.png"
TILE = 64  # pixels of a program's side on the sheet
MOST_TILES = 100


def program_files(folder: str | os.PathLike, count: int) -> list[Path]:
    """What so many programs are called in a folder: ``000.json``, ..."""
    digits = max(3, len(str(count - 1)))
    return [Path(folder) / f"{number:0{digits}d}.json" for number in range(count)]


def save_folder(programs: Sequence[Program], folder: str | os.PathLike, sheet: np.ndarray | None = None) -> str:
    """Write programs as ``000.json``, ... and what shows them on one sheet, ``sheet.png``.

    The folder is made where it is missing; files of the same names are replaced.

    Args:
        programs: at least one.
        folder: where.
        sheet: uint8 [H, W, C]; the first hundred of them, drawn small, where None.

    Returns:
        A line on what was written.

    Raises:
        InputError: there are no programs, one cannot be drawn, or the folder cannot be written.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"cannot write programs to {folder}: it is a file; give a folder")
    if sheet is None:
        sheet = sample_sheet(np.stack([_tile(program) for program in programs[:MOST_TILES]]))
    files = program_files(folder, len(programs))
    before = set(folder.glob("*.json"))
    replaced, others = before & set(files), before - set(files)
    for file, program in zip(files, programs, strict=True):
        program.save(file)
    save_png(sheet, folder / SHEET)
    empty = sum(not program.strokes for program in programs)
    remarks = [f"without strokes: {empty}"] if empty else []
    remarks += [f"{counted(len(replaced), 'program')} of these names replaced"] if replaced else []
    remarks += [f"{counted(len(others), 'other program')} left there from before"] if others else []
    return "; ".join([f"{folder}: {counted(len(programs), 'program')} and {SHEET}", *remarks])


def _tile(program: Program) -> np.ndarray:
    """The painting in the middle of a square of its background, uint8 [64, 64, 3]: canvases may differ in shape."""
    picture = replay(program, TILE)
    in_color = np.broadcast_to(picture, (*picture.shape[:2], 3))
    return centred(in_color, TILE, TILE, [round(255 * level) for level in program.canvas.background])
