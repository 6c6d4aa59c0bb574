"""Pictures in a folder of image files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from spiral.datasets.fit import ENOUGH
from spiral.datasets.split import members
from spiral.errors import InputError
from spiral.picture_file import SUFFIXES, open_picture

# Photographs that would be missed without a word if they were passed over like a text file.
UNREAD_SUFFIXES = (".heic", ".heif", ".jp2", ".jxl")


def pictures_in_folder(folder: Path, split: str) -> Iterator[tuple[Image.Image, int | None]]:
    """Image files of any common format, as they look on white; those in sub-folders have labels.

    They are sorted by name; a tenth is held out by the hash of the name. A label is the place of the sub-folder among
    their sorted names. Hidden files and files that are no images are passed over.

    Raises:
        InputError: no image in the folder, or one that cannot be used; the message names it.
    """
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if _is_shown(path, folder))
    names = [name for name in files if name.suffix.lower() in SUFFIXES]
    unread = next((name for name in files if name.suffix.lower() in UNREAD_SUFFIXES), None)
    if unread is not None or not names:
        problem = f"{folder / unread} is in a format not read here" if unread else f"no image files in {folder}"
        raise InputError(f"{problem}; accepted are {', '.join(SUFFIXES)}")
    labelled = all(len(name.parts) > 1 for name in names)
    classes = sorted({name.parts[0] for name in names})
    for i in members([name.as_posix() for name in names], split):
        picture = open_picture(folder / names[i], at_least=ENOUGH)
        yield picture, classes.index(names[i].parts[0]) if labelled else None


def _is_shown(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.is_file()
