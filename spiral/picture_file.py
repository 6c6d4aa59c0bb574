"""Any image file as uint8 pixels, as it looks on paper: the one place where files of strangers are decoded."""

from __future__ import annotations

import contextlib
import os
import warnings
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from spiral.errors import InputError

# What may be opened, whatever a file is called: Pillow also knows formats that start other programs.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "AVIF", "PPM")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".avif", ".ppm", ".pgm", ".pbm")
MOST_PIXELS = 64_000_000
WHITE = (1.0, 1.0, 1.0)
BITS_PER_SAMPLE, PHOTOMETRIC = 258, 262  # tags of TIFF
WHITE_IS_ZERO = 0


def read_picture(
    path: str | os.PathLike,
    channels: int = 3,
    background: tuple[float, float, float] = WHITE,
    at_least: int | None = None,
) -> np.ndarray:
    """The pixels of an image file, upright, with what is behind its transparent parts.

    Args:
        path: of a PNG, JPEG, BMP, GIF, TIFF, WebP, AVIF, PPM, PGM or PBM file; its contents count, not its suffix.
        channels: 1 for grey, 3 for RGB.
        background: (red, green, blue), each in 0..1, behind what is transparent.
        at_least: pixels of the shorter side that are enough: a larger JPEG is decoded at a half, a quarter or an eighth
            of its size if that suffices, which saves time and memory. All of them where None.

    Returns:
        uint8 [H, W, C]

    Raises:
        InputError: as of `open_picture`.
    """
    picture = on_background(open_picture(path, at_least=at_least), channels, background)
    return np.asarray(picture).reshape(picture.height, picture.width, channels)


def open_picture(
    file: str | os.PathLike | BinaryIO, name: str | None = None, at_least: int | None = None
) -> Image.Image:
    """The picture of an image file, upright and wholly decoded: mode L or RGB, or LA or RGBA where it has transparency.

    Args:
        file: its path, or the open file.
        name: to call it in messages; the path where None.
        at_least: as of `read_picture`.

    Raises:
        InputError: it cannot be read, is empty, broken, cut short, animated or too large, is in another format, or has
            a kind of pixel whose black and white are unknown; the message begins with the name, or names it.
    """
    name = name or str(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures, whose limit here is lower, and of odd headers
            # Never by its path: Pillow then maps an uncompressed TIFF into memory, and garbles one that lies on its side.
            with _opened(file) as stream, Image.open(stream, formats=FORMATS) as picture:
                _check_header(picture, name)
                if at_least is not None:
                    picture.draft(None, (at_least, at_least))
                white = _white(picture)  # its header tells, which the upright copy has no more
                return _eight_bits(ImageOps.exif_transpose(picture), white)
    except InputError:
        raise
    except UnidentifiedImageError:
        raise InputError(f"{name} is no picture in a format read here: {', '.join(FORMATS)}") from None
    except Image.DecompressionBombError:
        raise InputError(f"{name} has too many pixels; give at most {MOST_PIXELS // 10**6} million") from None
    except Exception as error:  # noqa: BLE001 - decoders meet arbitrary bytes, and raise whatever these lead them to
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"cannot read {name}: {error.strerror}") from None
        raise InputError(f"{name} cannot be read as a picture ({error}); mend it or take it away") from None


def on_background(picture: Image.Image, channels: int, background: tuple[float, float, float] = WHITE) -> Image.Image:
    """The picture in mode L (1 channel) or RGB (3), laid on a background, (red, green, blue), each in 0..1."""
    mode = "L" if channels == 1 else "RGB"
    if not picture.has_transparency_data:
        return picture.convert(mode)
    ground = Image.new("RGBA", picture.size, tuple(round(255 * level) for level in background))
    return Image.alpha_composite(ground, picture.convert("RGBA")).convert(mode)


def _opened(file: str | os.PathLike | BinaryIO) -> contextlib.AbstractContextManager[BinaryIO]:
    return open(file, "rb") if isinstance(file, (str, os.PathLike)) else contextlib.nullcontext(file)


def _check_header(picture: Image.Image, name: str) -> None:
    """What can be refused before the pixels are decoded."""
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise InputError(f"{name} has {width}x{height} pixels; give at most {MOST_PIXELS // 10**6} million")
    # Telephones put a preview beside the photograph in one JPEG file (MPO): that is no animation.
    if picture.format != "MPO" and getattr(picture, "n_frames", 1) > 1:
        raise InputError(f"{name} has {picture.n_frames} frames; give one picture a file")


def _white(picture: Image.Image) -> int | None:
    """The value of white in a grey picture of more than 8 bits, which Pillow would clip to 8; None for all others."""
    if picture.mode == "I" and picture.format == "PPM":
        return 65535  # Pillow has scaled it to that
    if not picture.mode.startswith("I;16"):
        return None
    tags = getattr(picture, "tag_v2", {})
    if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
        raise ValueError("its white is 0, which is not read in 16 bits; save it with black as 0")
    return 2 ** tags.get(BITS_PER_SAMPLE, (16,))[0] - 1


def _eight_bits(picture: Image.Image, white: int | None) -> Image.Image:
    if white is not None:
        return _scaled_grey(picture, white)
    if picture.mode in ("I", "F"):
        raise ValueError("its black and white are unknown; give 8 or 16 bits for each value")
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _scaled_grey(picture: Image.Image, white: int) -> Image.Image:
    values = np.asarray(picture)
    grey = Image.fromarray((values / white * 255).round().astype(np.uint8))
    if "transparency" in picture.info:  # the one value of a PNG that is not shown
        grey.putalpha(Image.fromarray(np.where(values == picture.info["transparency"], 0, 255).astype(np.uint8)))
    return grey
