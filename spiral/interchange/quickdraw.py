"""The drawings of the game Quick, Draw! as Google published them: a line of JSON each.

A stroke is ``[[x, ...], [y, ...]]`` in whole units 0 to 255 (the simplified drawings) or ``[[x, ...], [y, ...], [ms,
...]]`` in pixels of a screen (the raw ones). What else a line says of a drawing is kept in the program's origin.
"""

from __future__ import annotations

import json
import re
from typing import Any

from spiral import checks
from spiral.errors import ProgramError
from spiral.files import written_whole
from spiral.geometry import Point
from spiral.interchange.base import FORMATS, MAX_DRAWING_BYTES, Drawing, Format, Losses
from spiral.interchange.polylines import Polyline, fits, fitted, polylines_of, program_of, whole_units
from spiral.program import MAX_TEXT, Program

SIDE = 256  # units
FARTHEST = 1e6  # pixels of a screen
# What a line says of a drawing, in the order of the published files.
ABOUT = {"word": str, "countrycode": str, "timestamp": str, "recognized": bool, "key_id": str}


@FORMATS.register("quickdraw")
class QuickDraw(Format):
    """Quick, Draw! drawings, many in a file (.ndjson); simplified or raw ones are read, simplified ones written."""

    suffixes = (".ndjson",)

    def records(self, path):
        with path.open("rb") as file:
            lines = iter(lambda: file.readline(MAX_DRAWING_BYTES + 1), b"")
            for number, line in enumerate(line for line in lines if line.strip()):
                if len(line) > MAX_DRAWING_BYTES:
                    most = f"{MAX_DRAWING_BYTES // 2**20} MiB, the most a drawing may have"
                    raise ProgramError(f"{path}: drawing {number}: its line is longer than {most}")
                yield line

    def drawing(self, record, name, pen_width):
        losses = Losses()
        fields = _fields(record)
        strokes = [_stroke(value, f"stroke {i}") for i, value in enumerate(fields.pop("drawing"))]
        losses.count("drawings whose timing is not kept", any(any(times) for _, times in strokes))
        polylines = [polyline for polyline, _ in strokes]
        if any(times for _, times in strokes) or not fits(polylines, SIDE):
            polylines = fitted(polylines, SIDE, losses)
        return Drawing(program_of(polylines, SIDE, _origin(name, fields, losses), pen_width, losses), losses)

    def write(self, programs, path):
        losses = Losses()
        lines = [_line(program, number, losses) for number, program in enumerate(programs)]
        with written_whole(path) as beside:
            beside.write_text("".join(lines), encoding="ascii")
        return losses


def _fields(record: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(record.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ProgramError(f"not JSON ({error})") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("drawing"), list):
        raise ProgramError('not a Quick, Draw! drawing: it has no list "drawing"')
    return fields


def _stroke(value: object, where: str) -> tuple[Polyline, list]:
    """The points, and the times where it has such."""
    if not isinstance(value, list) or len(value) not in (2, 3) or not all(isinstance(part, list) for part in value):
        raise ProgramError(
            f"{where} must be [[x, ...], [y, ...]] or [[x, ...], [y, ...], [ms, ...]], got {value!r:.60}"
        )
    lengths = [len(part) for part in value]
    if len(set(lengths)) > 1 or not lengths[0]:
        raise ProgramError(f"{where} must have as many x as y and times, at least one, got {lengths}")
    points = zip(*(_numbers(part, f"{where}: {axis}") for part, axis in zip(value, "xy", strict=False)), strict=True)
    return [Point(*point) for point in points], value[2] if len(value) == 3 else []


def _numbers(values: list, name: str) -> list[float]:
    return [checks.number(value, f"{name}[{i}]", -FARTHEST, FARTHEST) for i, value in enumerate(values)]


def _origin(name: str, fields: dict[str, Any], losses: Losses) -> str:
    about = _about(fields)
    origin = f"{name}: {json.dumps(about)}" if about else name
    kept = len(origin) <= MAX_TEXT
    losses.count("drawings of which not all fields are kept", not kept or len(about) < len(fields))
    return origin if kept else name


def _about(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name, kind in ABOUT.items() if isinstance(fields.get(name), kind)}


def _about_from(origin: str) -> dict[str, Any]:
    """What `_origin` kept; nothing from an origin that is none of its."""
    found = re.search(r": (\{.*\})$", origin)
    try:
        fields = json.loads(found[1]) if found else {}
    except (ValueError, RecursionError):
        fields = {}
    return _about(fields)


def _line(program: Program, number: int, losses: Losses) -> str:
    polylines = whole_units(polylines_of(program, SIDE, losses), SIDE, losses)
    origin = program.origin or ""
    about = {"word": origin, "recognized": False, "key_id": str(number)} | _about_from(origin)
    drawing = [list(zip(*polyline, strict=True)) for polyline in polylines]
    fields = {name: about[name] for name in ABOUT if name in about} | {"drawing": drawing}
    return json.dumps(fields, separators=(",", ":")) + "\n"
