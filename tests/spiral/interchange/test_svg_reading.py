import dataclasses
import xml.etree.ElementTree as ET

import pytest

import spiral.interchange.svg
from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.errors import ProgramError
from spiral.interchange import load_drawing, load_program, save_programs
from spiral.svg import metadata_element, to_svg

STROKES = (
    Stroke((0.1, 0.2), (0.5, 0.9), (0.9, 0.2), Brush(0.1, (0.0, 0.5, 1.0), 0.5, (0.2, 1.0)), action=(1, 40, 7)),
    Stroke((-1.0, 2.0), (1 / 3, 1e-17), (0.9, 0.2), Brush(2.0)),
)
PROGRAM = Program(
    CanvasSpec(64, 48, 3, (0.1, 0.2, 0.3)),
    STROKES,
    "spiral/Paint-v0",
    "reference",
    2**127,
    "]]> & </program>",
    "a" * 64,
)
HELD = metadata_element(PROGRAM)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "painting.svg"


def test_the_program_comes_back_whole(path):
    assert save_programs([PROGRAM], path) == {}
    assert load_drawing(path) == (PROGRAM, {})
    assert path.read_text() == to_svg(PROGRAM)


def test_it_survives_being_saved_by_other_software(path):
    root = ET.fromstring(to_svg(PROGRAM))
    root.insert(0, ET.Element("{http://www.inkscape.org/namespaces/inkscape}page"))
    group = ET.SubElement(root, "{http://www.w3.org/2000/svg}g")
    group.append(root.find("{http://www.w3.org/2000/svg}metadata"))
    root.remove(root.find("{http://www.w3.org/2000/svg}metadata"))
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="utf-16", xml_declaration=True)
    assert "<ns0:program" in path.read_text("utf-16") or ":program" in path.read_text("utf-16")
    assert load_program(path) == PROGRAM


def test_text_of_other_elements_is_none_of_its(path):
    path.write_text(
        f"<svg><title>7</title>{HELD}<program>7</program><x:program xmlns:x='urn:other'>7</x:program></svg>"
    )
    assert load_program(path) == PROGRAM


def nested(depth):
    return "<g>" * depth + HELD + "</g>" * depth


def test_neither_depth_nor_references_are_followed(path):
    path.write_text(nested(20_000))
    assert load_program(path) == PROGRAM
    uses = "".join(f'<g id="a{i}">{f"""<use href="#a{i - 1}"/>""" * 10 if i else "<path/>"}</g>' for i in range(30))
    path.write_text(f"<svg>{HELD}{uses}</svg>")
    assert load_program(path) == PROGRAM


LAUGHS = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "ha"}">' for i in range(10))
DOCTYPE = "it has a DOCTYPE, which is not read; save it without one"
HOW_MANY = "stroke programs; an SVG file written by this software holds one"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"not an SVG file: not XML \(no element found: line 1, column 0\)"),
        ("spiral", r"not an SVG file: not XML \(syntax error: line 1, column 0\)"),
        (to_svg(PROGRAM)[:-20], r"not an SVG file: not XML \("),
        ("<svg>" + HELD, r"not an SVG file: not XML \(no element found"),
        (f"<svg>{HELD}&a;</svg>", r"not an SVG file: not XML \(undefined entity: line"),
        ("<g>" * 20_000, r"not an SVG file: not XML \(no element found"),
        ("<?xml version='1.0' encoding='klingon'?><svg/>", r"not an SVG file: not XML \("),
        (f"<!DOCTYPE svg [{LAUGHS}]><svg>{HELD}&a9;</svg>", DOCTYPE),
        (f"<!DOCTYPE svg [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><svg>&a;{HELD}</svg>", DOCTYPE),
        (f"<!DOCTYPE svg SYSTEM 'http://localhost/svg.dtd'><svg>{HELD}</svg>", DOCTYPE),
        ("<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0L1 1'/></svg>", f"it holds no {HOW_MANY}"),
        (f"<svg>{HELD}{HELD}</svg>", f"it holds 2 {HOW_MANY}"),
        (f"<svg>{HELD.replace('[', HELD + '[', 1)}</svg>", f"it holds 2 {HOW_MANY}"),
        ("<p:program xmlns:p='urn:spiral-painter:program'/>", r"not a stroke program: not JSON \("),
        (f"<svg>{HELD.replace('0.9', '1e999')}</svg>", "stroke 0: control y must be a number from -1 to 2, got inf"),
        (f"<svg>{HELD.replace(': 48', ': 4')}</svg>", "canvas height must be a whole number from 16 to 1024, got 4"),
    ],
)
def test_anything_else_is_refused_in_one_line(path, text, message):
    path.write_text(text)
    with pytest.raises(ProgramError, match=rf"painting\.svg: {message}") as caught:
        load_program(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < len(str(path)) + 200


def test_a_file_too_large_is_refused(path, monkeypatch):
    monkeypatch.setattr(spiral.interchange.svg, "MAX_SVG_BYTES", 2**20)
    path.write_text(f"<svg>{HELD}{' ' * 2**20}</svg>")
    with pytest.raises(ProgramError, match=r"painting\.svg: larger than 1 MiB, the most an SVG file may have"):
        load_program(path)


def test_a_program_without_strokes_comes_back(path):
    blank = dataclasses.replace(PROGRAM, strokes=())
    save_programs([blank], path)
    assert load_program(path) == blank
