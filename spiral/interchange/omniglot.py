"""The strokes of Omniglot (Lake et al. 2015) as it was published: a text file for each drawing.

After a line ``START`` come the points, ``x,y,t`` a line, and a line ``BREAK`` where the pen was lifted. The frame is the
105 x 105 pixels of the images, x to the right; y runs up, and so is negative all over the image.
"""

from __future__ import annotations

from spiral import checks
from spiral.errors import ProgramError
from spiral.files import written_whole
from spiral.geometry import Point
from spiral.interchange.base import FORMATS, MAX_DRAWING_BYTES, Drawing, Format, Losses
from spiral.interchange.polylines import Polyline, polylines_of, program_of
from spiral.stroke import REACH

SIDE = 105  # units
LOW, HIGH = (SIDE * edge - 0.5 for edge in REACH)  # units; as far outside as a stroke may go
LATEST = 1e12  # ms


@FORMATS.register("omniglot")
class Omniglot(Format):
    """The strokes of one Omniglot drawing as text (.txt)."""

    suffixes = (".txt",)
    holds_one = True

    def records(self, path):
        with path.open("rb") as file:
            data = file.read(MAX_DRAWING_BYTES + 1)
        if len(data) > MAX_DRAWING_BYTES:
            raise ProgramError(f"{path}: larger than {MAX_DRAWING_BYTES // 2**20} MiB, the most such a file may have")
        yield data

    def drawing(self, record, name, pen_width):
        losses = Losses()
        polylines, timed = _polylines(record)
        losses.count("drawings whose timing is not kept", timed)
        return Drawing(program_of(polylines, SIDE, name, pen_width, losses), losses)

    def write(self, programs, path):
        losses = Losses()
        lines = ["START"]
        for polyline in polylines_of(programs[0], SIDE, losses):
            # All at time 0, since a program has no timing; + 0.0 because -0.0 would be written as such.
            lines += [f"{round(x, 6) + 0.0:.6f},{round(-y, 6) + 0.0:.6f},0.000000" for x, y in polyline]
            lines.append("BREAK")
        with written_whole(path) as beside:
            beside.write_text("\n".join([*lines, ""]), encoding="ascii")
        return losses


def _polylines(data: bytes) -> tuple[list[Polyline], bool]:
    """The lines, and whether any point has a time other than 0."""
    try:
        lines = [(number, line.strip()) for number, line in enumerate(data.decode("ascii").split("\n"), 1)]
    except UnicodeDecodeError:
        raise ProgramError("not Omniglot strokes: not a text file") from None
    first, *rest = [(number, line) for number, line in lines if line] or [(0, "")]
    if first[1] != "START":
        raise ProgramError(f"not Omniglot strokes: the first line must be START, got {first[1]!r:.60}")
    polylines: list[Polyline] = []
    polyline: Polyline = []
    timed = False
    for number, line in rest:
        if line == "BREAK":
            polylines.append(polyline)
            polyline = []
        else:
            x, y, t = _numbers(line, f"line {number}")
            polyline.append(Point(x, -y))
            timed = timed or t != 0.0
    if polyline:
        raise ProgramError("the last stroke has no line BREAK at its end; is the file cut short?")
    if not all(polylines):
        raise ProgramError(f"stroke {polylines.index([])} has no points")
    return polylines, timed


def _numbers(line: str, where: str) -> list[float]:
    parts = line.split(",")
    if len(parts) != 3:
        raise ProgramError(f"{where} must be x,y,t or BREAK, got {line!r:.60}")
    ranges = {"x": (LOW, HIGH), "y": (-HIGH, -LOW), "t": (-LATEST, LATEST)}
    named = zip(parts, ranges.items(), strict=True)
    return [checks.number(_float(part), f"{where}: {name}", low, high) for part, (name, (low, high)) in named]


def _float(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text  # which is refused where it is checked, and shown
