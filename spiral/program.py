"""A painting as a list of strokes: the program file, and drawing it again at any size."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from spiral import checks
from spiral.canvas import MAX_SIDE, Canvas, CanvasSpec
from spiral.errors import InputError, ProgramError
from spiral.files import read_text, written_whole
from spiral.renderers import RENDERERS
from spiral.stroke import Brush, Stroke

FORMAT = "spiral-program"
VERSION = 1
MIN_PAINTED_SIDE, MAX_PAINTED_SIDE = 16, 1024  # pixels
MAX_SEED = 2**128 - 1
MAX_STROKES = 100_000
MAX_FILE_BYTES = 64 * 2**20
MAX_TEXT = 1000  # characters of a name in the header


@dataclass(frozen=True)
class Program:
    """An ordered list of strokes and what one must know to draw them again.

    Attributes:
        canvas: what they were painted on, each side 16..1024 pixels.
        strokes: first painted first, at most 100,000.
        environment: id of the environment whose actions the strokes came from.
        renderer: name of the renderer they were painted by.
        seed: of the painting, or None.
        origin: what painted them, such as a checkpoint, or None.
        checksum: `pixel_checksum` of the finished canvas at its own size, or None.

    Raises:
        ProgramError: a value is out of range, or a grey canvas has a stroke in colour; the message names it.
    """

    canvas: CanvasSpec
    strokes: tuple[Stroke, ...]
    environment: str = "spiral/Paint-v0"
    renderer: str = "cairo"
    seed: int | None = None
    origin: str | None = None
    checksum: str | None = None

    def __post_init__(self):
        object.__setattr__(self, "strokes", tuple(self.strokes))
        try:
            self._check()
        except InputError as error:
            raise ProgramError(str(error)) from None

    def _check(self) -> None:
        checks.instance(self.canvas, "canvas", CanvasSpec)
        for side in ("width", "height"):
            checks.integer(getattr(self.canvas, side), f"canvas {side}", MIN_PAINTED_SIDE, MAX_PAINTED_SIDE)
        checks.text(self.environment, "environment", MAX_TEXT)
        checks.text(self.renderer, "renderer", MAX_TEXT)
        if self.seed is not None:
            checks.integer(self.seed, "seed", 0, MAX_SEED)
        if self.origin is not None:
            checks.text(self.origin, "origin", MAX_TEXT)
        if self.checksum is not None and not re.fullmatch("[0-9a-f]{64}", checks.text(self.checksum, "checksum", 64)):
            raise ProgramError(f"checksum must be 64 hexadecimal digits, got {self.checksum!r}")
        if len(self.strokes) > MAX_STROKES:
            raise ProgramError(f"a program has at most {MAX_STROKES:,} strokes, got {len(self.strokes):,}")
        for i, stroke in enumerate(self.strokes):
            checks.instance(stroke, f"stroke {i}", Stroke)
            self.canvas.check_color(stroke.brush.color, f"stroke {i}: color")

    def to_json(self) -> str:
        """The program file: equal programs give equal text, a stroke a line."""
        header = {
            "format": FORMAT,
            "version": VERSION,
            "environment": self.environment,
            "canvas": dataclasses.asdict(self.canvas),
            "renderer": self.renderer,
            "seed": self.seed,
            "origin": self.origin,
            "checksum": self.checksum,
        }
        lines = [f" {json.dumps(name)}: {json.dumps(value)}," for name, value in header.items()]
        strokes = ",\n".join(f"  {json.dumps(_stroke_fields(stroke))}" for stroke in self.strokes)
        return "\n".join(["{", *lines, ' "strokes": [', *([strokes] if strokes else []), " ]", "}", ""])

    @classmethod
    def from_json(cls, text: str) -> Program:
        """The program of this text.

        Raises:
            ProgramError: it is no program of this version; the message names the stroke and the field.
        """
        try:
            fields = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
        except ProgramError:
            raise
        except (ValueError, RecursionError) as error:
            raise ProgramError(f"not a stroke program: not JSON ({error})") from None
        try:
            return _program(fields)
        except InputError as error:
            raise ProgramError(str(error)) from None

    def save(self, path: str | os.PathLike) -> None:
        """Write the program file.

        Raises:
            InputError: it cannot be written there.
        """
        with written_whole(path) as beside:
            beside.write_text(self.to_json(), encoding="ascii")

    @classmethod
    def load(cls, path: str | os.PathLike) -> Program:
        """Read a program file.

        Raises:
            ProgramError: it cannot be read or is no program; the message begins with the path.
        """
        try:
            text = read_text(path, "a stroke program", MAX_FILE_BYTES)
        except InputError as error:
            raise ProgramError(str(error)) from None
        try:
            return cls.from_json(text)
        except ProgramError as error:
            raise ProgramError(f"{path}: {error}") from None


def pixel_checksum(pixels: np.ndarray) -> str:
    """SHA-256 of a canvas's pixels, uint8 [H, W, C], as hexadecimal digits."""
    return hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest()


def replay(program: Program, size: int | None = None, renderer: str | None = None) -> np.ndarray:
    """Draw a program again.

    Args:
        program: what to draw.
        size: pixels of the longer side, 16..8192; the canvas's own where None, which gives the same bytes as painting.
        renderer: name of another renderer than the program's own.

    Returns:
        uint8 [H, W, C]

    Raises:
        InputError: the size is out of range, or nobody registered the renderer.
    """
    canvas = blank_canvas(program, size, renderer)
    for stroke in program.strokes:
        canvas.draw(stroke)
    return canvas.pixels()


def begun(program: Program, strokes: int) -> Program:
    """The program of its first strokes alone."""
    first = dataclasses.replace(program, strokes=program.strokes[:strokes], checksum=None)
    return first if program.checksum is None else dataclasses.replace(first, checksum=pixel_checksum(replay(first)))


def matches_checksum(program: Program) -> bool:
    """Whether replaying gives the pixels that were painted; False for a program without a checksum.

    Another version of the drawing library may differ in the last bit, which is no fault of the program.
    """
    return pixel_checksum(replay(program)) == program.checksum


def blank_canvas(program: Program, size: int | None = None, renderer: str | None = None) -> Canvas:
    """The canvas a program is drawn on; arguments and errors as of `replay`."""
    return RENDERERS.get(renderer or program.renderer)(canvas_at(program.canvas, size))


def canvas_at(canvas: CanvasSpec, size: int | None) -> CanvasSpec:
    """The same canvas with ``size`` pixels along its longer side; as it is where None.

    Raises:
        InputError: the size is not in 16..8192.
    """
    if size is None:
        return canvas
    scale = checks.integer(size, "size", MIN_PAINTED_SIDE, MAX_SIDE) / max(canvas.width, canvas.height)
    width, height = (max(1, round(side * scale)) for side in (canvas.width, canvas.height))
    return dataclasses.replace(canvas, width=width, height=height)


def _stroke_fields(stroke: Stroke) -> dict[str, Any]:
    brush = stroke.brush
    fields = {"start": stroke.start, "control": stroke.control, "end": stroke.end}
    fields |= {"width": brush.width, "pressure": brush.pressure, "color": brush.color, "opacity": brush.opacity}
    return fields if stroke.action is None else fields | {"action": stroke.action}


def _program(value: object) -> Program:
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ProgramError(f'not a stroke program: it has no "format": "{FORMAT}"')
    version = value.get("version")
    if isinstance(version, int) and version > VERSION:
        raise ProgramError(f"version {version} is newer than this software, which reads version {VERSION}; update it")
    if version != VERSION or isinstance(version, (bool, float)):
        raise ProgramError(f"version must be {VERSION}, got {version!r:.60}")
    fields = _fields(
        value,
        "the program",
        {"format", "version", "environment", "canvas", "renderer", "strokes"},
        {"seed", "origin", "checksum"},
    )
    del fields["format"], fields["version"]
    canvas = CanvasSpec(**_fields(fields.pop("canvas"), "canvas", {"width", "height", "channels", "background"}))
    strokes = fields.pop("strokes")
    if not isinstance(strokes, list):
        raise ProgramError(f"strokes must be a list, got {strokes!r:.60}")
    if len(strokes) > MAX_STROKES:  # before any of them is made
        raise ProgramError(f"a program has at most {MAX_STROKES:,} strokes, got {len(strokes):,}")
    return Program(canvas=canvas, strokes=tuple(_stroke(stroke, i) for i, stroke in enumerate(strokes)), **fields)


def _stroke(value: object, index: int) -> Stroke:
    fields = _fields(
        value, f"stroke {index}", {"start", "control", "end", "width", "pressure", "color", "opacity"}, {"action"}
    )
    try:
        brush = Brush(*(fields[name] for name in ("width", "color", "opacity", "pressure")))
        return Stroke(fields["start"], fields["control"], fields["end"], brush, fields.get("action"))
    except InputError as error:
        raise ProgramError(f"stroke {index}: {error}") from None


def _fields(value: object, where: str, required: set[str], optional: set[str] = frozenset()) -> dict[str, Any]:
    """A copy of a JSON object that has all the required fields and no unknown one."""
    if not isinstance(value, dict):
        raise ProgramError(f"{where} must be an object, got {value!r:.60}")
    missing, surplus = sorted(required - value.keys()), sorted(value.keys() - required - optional)
    if missing:
        raise ProgramError(f"{where}: field {missing[0]!r} is missing")
    if surplus:
        known = ", ".join(sorted(required | optional))
        raise ProgramError(f"{where}: unknown field {surplus[0]!r:.60}; known: {known}")
    return dict(value)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ProgramError(f"field {twice!r:.60} is given twice in one object")
    return fields


def _no_constant(name: str) -> None:
    raise ProgramError(f"{name} is not a number of a program; every number must be finite")
