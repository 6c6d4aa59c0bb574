"""Replaying a program to a file: the kinds of file by their suffix, and what may be chosen for each."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from spiral import checks
from spiral.errors import InputError
from spiral.film import MAX_FRAMES, painting_frames, save_apng, save_gif, save_mp4
from spiral.pace import default_seconds
from spiral.pictures import save_png
from spiral.player import save_player
from spiral.program import MIN_PAINTED_SIDE, Program, blank_canvas, canvas_at
from spiral.progress import Watch, unwatched
from spiral.svg import save_svg

SIZE = 512  # pixels of the longer side
FPS = 20
SECONDS = (0.1, 3600.0)


def writer_for(path: str | os.PathLike, **options: float | str | None) -> Callable[..., None]:
    """The function that writes a painting to this file: ``(program, watch=unwatched)``.

    Args:
        path: its suffix says what is written.
        options: those of size, renderer, seconds and fps that its kind of file has; None is as good as none.

    Raises:
        InputError: no such suffix, or an option that such a file does not have; the message lists what is accepted.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in KINDS:
        raise InputError(f"cannot write {path}: unknown suffix {suffix!r}; accepted: {', '.join(KINDS)}")
    kind = KINDS[suffix]
    given = {option: value for option, value in options.items() if value is not None}
    for option, value in given.items():
        if option not in kind.options:
            others = ", ".join(suffix for suffix, other in KINDS.items() if option in other.options)
            raise InputError(f"{kind.name} has no {option}, got {value!r}; leave it out or write one of {others}")

    def write(program: Program, watch: Watch = unwatched) -> None:
        kind.write(program, path, watch, **given)

    return write


def _write_png(program, path, watch, size=SIZE, renderer=None) -> None:
    canvas = blank_canvas(program, size, renderer)
    for stroke in watch(program.strokes, len(program.strokes)):
        canvas.draw(stroke)
    save_png(canvas.pixels(), path)


def _write_svg(program, path, watch, size=SIZE) -> None:
    save_svg(program, path, size)


def _write_player(program, path, watch, seconds=None) -> None:
    save_player(program, path, _seconds(program, seconds))


class Film(NamedTuple):
    """A kind of film: its name with its article, what saves its frames, and the most it may have."""

    name: str
    save: Callable[..., None]
    side: int  # pixels
    fps: int
    pixels: float = math.inf  # of all frames together

    def write(self, program, path, watch, size=SIZE, renderer=None, seconds=None, fps=FPS) -> None:
        checks.integer(size, f"the size of {self.name}", MIN_PAINTED_SIDE, self.side)
        checks.integer(fps, f"the fps of {self.name}", 1, self.fps)
        seconds = _seconds(program, seconds)
        frames = max(1, round(seconds * fps))
        canvas = canvas_at(program.canvas, size)
        if frames > MAX_FRAMES or frames * canvas.width * canvas.height > self.pixels:
            raise InputError(
                f"{seconds:g} seconds at {fps} fps are {frames:,} frames of {canvas.width} x {canvas.height} pixels, too "
                f"much for {self.name}; give fewer seconds or fps, or a smaller size"
            )
        self.save(watch(painting_frames(program, frames, size, renderer), frames + 1), path, fps)


def _seconds(program: Program, seconds: float | None) -> float:
    return default_seconds(program) if seconds is None else checks.number(seconds, "seconds", *SECONDS)


class Kind(NamedTuple):
    """A kind of file: its name with its article, the options it has, and what writes it."""

    name: str
    options: tuple[str, ...]
    write: Callable[..., None]


def _film(film: Film) -> Kind:
    return Kind(film.name, ("size", "renderer", "seconds", "fps"), film.write)


KINDS = {
    ".png": Kind("a PNG", ("size", "renderer"), _write_png),
    ".svg": Kind("an SVG", ("size",), _write_svg),
    ".html": Kind("an HTML player", ("seconds",), _write_player),
    # Browsers slow down a GIF of more frames a second; all of its frames are in memory at once.
    ".gif": _film(Film("a GIF", save_gif, side=2048, fps=50, pixels=2**27)),
    ".apng": _film(Film("an APNG", save_apng, side=4096, fps=60)),
    # More pixels are beyond level 5.2 of H.264, the highest that telephones play.
    ".mp4": _film(Film("an MP4", save_mp4, side=3072, fps=60)),
}
