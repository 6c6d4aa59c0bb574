"""Our own format, which keeps everything."""

from __future__ import annotations

from spiral.interchange.base import FORMATS, Drawing, Format, Losses
from spiral.program import Program


@FORMATS.register("program")
class ProgramFile(Format):
    """A stroke program, whole (.json)."""

    suffixes = (".json",)
    holds_one = True

    def records(self, path):
        yield Program.load(path)

    def drawing(self, record, name, pen_width):
        return Drawing(record, Losses())

    def write(self, programs, path):
        programs[0].save(path)
        return Losses()
