"""The program that an SVG file written here holds in its metadata.

What else is in the file is not looked at: drawings that others made as SVG are not read.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from spiral.errors import InputError, ProgramError
from spiral.interchange.base import FORMATS, Drawing, Format, Losses
from spiral.program import MAX_FILE_BYTES, Program
from spiral.svg import PROGRAM_NAMESPACE, save_svg

MAX_SVG_BYTES = 4 * MAX_FILE_BYTES  # the program's text, and its strokes as outlines
CHUNK_BYTES = 2**16


@FORMATS.register("svg")
class Svg(Format):
    """Curves, and the program itself in the metadata (.svg); only files written here can be read."""

    suffixes = (".svg",)
    holds_one = True

    def records(self, path):
        yield _text_of_program(path)

    def drawing(self, record, name, pen_width):
        return Drawing(Program.from_json(record), Losses())

    def write(self, programs, path):
        save_svg(programs[0], path)
        return Losses()


class _ProgramText:
    """What a parser reports to: it keeps the text of programs, and nothing else of the file."""

    def __init__(self):
        self.programs = 0
        self.text: list[str] = []
        self._depth = 0  # of open elements, the program's own being the first; 0 outside

    def start(self, tag, attributes):
        begins = tag == f"{{{PROGRAM_NAMESPACE}}}program"
        self.programs += begins
        self._depth += begins or self._depth > 0

    def end(self, tag):
        self._depth -= self._depth > 0

    def data(self, text):
        if self._depth:
            self.text.append(text)


def _text_of_program(path: Path) -> str:
    found = _ProgramText()
    try:
        _parse(path, found)
    except InputError:
        raise
    except DefusedXmlException:
        raise ProgramError(f"{path}: it has a DOCTYPE, which is not read; save it without one") from None
    except (ParseError, ValueError, LookupError) as error:
        raise ProgramError(f"{path}: not an SVG file: not XML ({error})") from None
    if found.programs != 1:
        count = found.programs or "no"
        raise ProgramError(f"{path}: it holds {count} stroke programs; an SVG file written by this software holds one")
    return "".join(found.text)


def _parse(path: Path, target: _ProgramText) -> None:
    """As a stream: no tree is built, however large or deep the file is."""
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            size += len(chunk)
            if size > MAX_SVG_BYTES:
                raise ProgramError(f"{path}: larger than {MAX_SVG_BYTES // 2**20} MiB, the most an SVG file may have")
            parser.feed(chunk)
    parser.close()
