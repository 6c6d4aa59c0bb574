"""Pictures in a folder of image files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from spiral.datasets.split import members
from spiral.errors import InputError

# What may be opened, whatever a file is called: Pillow also knows formats that start other programs.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
MOST_PIXELS = 64_000_000


def pictures_in_folder(folder: Path, split: str) -> Iterator[tuple[Image.Image, int | None]]:
    """The image files in a folder and its sub-folders, sorted by name; a tenth is held out by the hash of the name.

    If all of them lie in sub-folders, the label is the place of the sub-folder among their sorted names.
    Hidden files and files that are no images are passed over.

    Raises:
        InputError: no image in the folder, or one that cannot be used; the message names it.
    """
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if _is_picture(path, folder))
    if not names:
        raise InputError(f"no image files in {folder}; accepted are {', '.join(SUFFIXES)}")
    labelled = all(len(name.parts) > 1 for name in names)
    classes = sorted({name.parts[0] for name in names})
    for i in members([name.as_posix() for name in names], split):
        yield read_picture(folder / names[i]), classes.index(names[i].parts[0]) if labelled else None


def _is_picture(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.suffix.lower() in SUFFIXES and path.is_file()


def read_picture(path: Path) -> Image.Image:
    """The picture of one image file as it looks on paper: mode L or RGB, upright, what is transparent is white.

    Raises:
        InputError: empty, broken, cut short, animated, too large, or with a kind of pixel that has no range.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit here is lower
            with Image.open(path, formats=FORMATS) as picture:
                _check_header(picture, path)
                return _on_white(ImageOps.exif_transpose(picture))
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - decoders meet arbitrary bytes, and raise whatever these lead them to
        raise InputError(f"{path} cannot be read as a picture ({error}); mend it or take it away") from None


def _check_header(picture: Image.Image, path: Path) -> None:
    """What can be refused before the pixels are decoded."""
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise InputError(f"{path} has {width}x{height} pixels; give at most {MOST_PIXELS // 10**6} million")
    # Telephones put a preview beside the photograph in one JPEG file (MPO): that is no animation.
    if picture.format != "MPO" and getattr(picture, "n_frames", 1) > 1:
        raise InputError(f"{path} has {picture.n_frames} frames; give one picture a file")


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode[0] in "IF":
        return _scaled_grey(np.asarray(picture))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _scaled_grey(grey: np.ndarray) -> Image.Image:
    """16-bit grey as 8-bit grey; Pillow's own conversion clips it to white instead of scaling it."""
    if grey.dtype.kind == "f" or grey.min() < 0 or grey.max() > 65535:
        raise ValueError("its black and white are unknown; give 8 or 16 bits for each value")
    return Image.fromarray((grey / 65535 * 255).round().astype(np.uint8))
