"""Omniglot's pictures (Lake et al. 2015) as they were published: black ink on white, a file each, by 20 people."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from spiral.datasets.split import members
from spiral.errors import InputError
from spiral.picture_file import open_picture

NAME = re.compile(r"(?:.+?/)??(?:images_(\w+)/)?([^/]+)/(character\d\d)/\d+_\d+\.png")
MOST_BYTES = 2**20  # of one picture; those published have 300


class _Drawing(NamedTuple):
    file: str
    part: str | None  # "background", "evaluation", or None outside such a folder
    alphabet: str
    character: str


def is_omniglot(path: Path) -> bool:
    """Whether it is a .zip file, or a folder laid out like Omniglot."""
    if path.is_file():
        return path.suffix.lower() == ".zip"
    return any(folder.is_dir() for depth in ("*", "images_*/*") for folder in path.glob(f"{depth}/character[0-9][0-9]"))


def pictures_in_omniglot(path: Path, split: str) -> Iterator[tuple[Image.Image, int]]:
    """Omniglot as it was published, or such a folder; alphabets are held out, characters are the labels.

    With both ``images_background`` and ``images_evaluation`` the alphabets of the latter are held out, otherwise a tenth
    of them all; of a single alphabet, a tenth of the drawings.

    Raises:
        InputError: no drawing by Omniglot's names, or one that cannot be read; the message names it.
    """
    if path.is_dir():
        names = [file.relative_to(path).as_posix() for file in path.glob("**/character[0-9][0-9]/*.png")]
        yield from _pictures(path, names, lambda name: path / name, split)
        return
    try:
        with closing(zipfile.ZipFile(path)) as archive:
            yield from _pictures(path, archive.namelist(), lambda name: _unpacked(archive, name), split)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{path} is no .zip file that can be read ({error}); fetch it again") from None


def _pictures(path: Path, names: list[str], opened: Callable[[str], Path | io.BytesIO], split: str):
    matches = [NAME.fullmatch(name) for name in sorted(names) if not name.startswith("__MACOSX")]
    drawings = [_Drawing(match[0], *match.groups()) for match in matches if match]
    if not drawings:
        raise InputError(f"{path} has no pictures of Omniglot: ALPHABET/character01/0001_01.png; or give a folder")
    characters = sorted({(drawing.alphabet, drawing.character) for drawing in drawings})
    labels = {character: label for label, character in enumerate(characters)}
    for drawing in _of_split(drawings, split):
        picture = open_picture(opened(drawing.file), f"{path}/{drawing.file}")
        yield picture, labels[drawing.alphabet, drawing.character]


def _of_split(drawings: list[_Drawing], split: str) -> list[_Drawing]:
    evaluation = [drawing for drawing in drawings if drawing.part == "evaluation"]
    if 0 < len(evaluation) < len(drawings):
        return evaluation if split == "test" else [drawing for drawing in drawings if drawing.part != "evaluation"]
    alphabets = sorted({drawing.alphabet for drawing in drawings})
    if len(alphabets) == 1:
        return [drawings[i] for i in members([drawing.file for drawing in drawings], split)]
    chosen = {alphabets[i] for i in members(alphabets, split)}
    return [drawing for drawing in drawings if drawing.alphabet in chosen]


def _unpacked(archive: zipfile.ZipFile, name: str) -> io.BytesIO:
    with archive.open(name) as file:
        return io.BytesIO(file.read(MOST_BYTES))
