"""What every registered writer of plotter files keeps to; a new one is picked up by its registration."""

import dataclasses
import itertools
import json
import re

import pytest
from plotter_programs import polyline, random_program

from spiral import Program
from spiral.canvas import CanvasSpec
from spiral.errors import InputError
from spiral.plotter.events import Line, Travel
from spiral.plotter.machine import Change, Refill, Tray, load_machine
from spiral.plotter.pens import Pen
from spiral.plotter.plan import Options, plan
from spiral.plotter.writers import WRITERS
from spiral.plotter.writers.hpgl import Hpgl

MACHINES = {
    "svg": "sheet",
    "grbl": "grbl-brush",
    "marlin": "marlin-servo",
    "hpgl": "hpgl-a4",
    "urscript": "ur5e",
    "csv": "grbl-brush",
    "json": "grbl-servo",
    "png": "grbl-brush",
    "html": "grbl-brush",
}
EVIL = 'x) G0 X999 (\n; M3"><script>alert(1)</script>é'


def test_every_writer_is_tested_here():
    assert set(WRITERS.names()) == set(MACHINES)


@pytest.fixture(params=MACHINES)
def dialect(request):
    return request.param


def planned(dialect, program, pens=None, **options):
    machine = load_machine(MACHINES[dialect])
    return plan(program, machine, Options(pens=pens, **options))


def written(dialect, one):
    writer = WRITERS.get(dialect)
    return writer(one.path if writer.keeps_curves else one.flat).content()


def test_it_says_what_it_is_and_which_files_it_writes(dialect):
    writer = WRITERS.get(dialect)
    assert 20 < len(writer.__doc__.partition("\n")[0]) < 130
    assert writer.suffixes and all(re.fullmatch(r"\.[a-z]+", suffix) for suffix in writer.suffixes)


def test_no_two_writers_for_every_machine_share_a_suffix():
    suffixes = [
        s for name in WRITERS.names() if WRITERS.get(name).for_every_machine for s in WRITERS.get(name).suffixes
    ]
    assert len(suffixes) == len(set(suffixes))


def test_equal_programs_give_equal_bytes(dialect):
    first, second = (written(dialect, planned(dialect, random_program(3))) for _ in range(2))
    assert first == second and len(first) > 100


def test_it_has_no_date_no_infinity_and_no_minus_before_zero(dialect):
    text = written(dialect, planned(dialect, random_program(3)))
    if isinstance(text, str):
        head = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
        assert not re.search(r"\bnan\b|\binf(inity)?\b|202\d-\d\d", head, re.IGNORECASE)
        assert not re.search(r"-0(\.0+)?(?![.\d])", head)
        assert "\r" not in text


@pytest.mark.parametrize("dialect", ["grbl", "marlin", "urscript", "svg", "html"])
def test_a_name_from_a_stranger_is_no_command(dialect):
    """CSV and JSON hold names as data; HPGL and PNG hold none."""
    pens = (Pen("black", EVIL[:40]), Pen("red", EVIL[5:45], width=1.0))
    machine = load_machine(MACHINES[dialect])
    machine = dataclasses.replace(machine, trays=(*machine.trays, *(Tray(pen.name, (10.0, 10.0)) for pen in pens)))
    text = written(dialect, plan(random_program(3, strokes=12), machine, Options(pens=pens)))
    assert "<script>alert" not in text and "G0 X999 (" not in text.partition("</metadata>")[2]
    if dialect in ("grbl", "marlin", "urscript"):
        assert text.isascii()
        for line in text.splitlines():
            code = re.sub(r"\([^()]*\)$|;.*|# .*|\".*?\"", "", line)
            assert "X999" not in code and "script" not in code, line


def test_no_line_is_longer_than_a_plotter_reads(dialect):
    if dialect in ("grbl", "marlin"):
        machine = dataclasses.replace(
            load_machine(MACHINES[dialect]), name="m" * 100, trays=(), refill=Refill(), change=Change()
        )
        pens = tuple(Pen(color, color[0] * 40) for color in ("black", "red", "blue"))
        text = written(dialect, plan(random_program(3, strokes=40), machine, Options(pens=pens)))
        assert max(map(len, text.splitlines())) <= 80


def test_a_dot_and_a_program_of_one_stroke_are_written(dialect):
    for points in ([(0.5, 0.5), (0.5, 0.5)], [(0.1, 0.1), (0.9, 0.9)]):
        program = Program(CanvasSpec(32, 32, 1), polyline(points))
        assert written(dialect, planned(dialect, program))


def test_svg_for_a_machine_that_dips_is_refused_and_for_others_it_is_a_picture():
    one = plan(random_program(3), load_machine("grbl-brush"))
    assert "<path" in written("svg", one)
    machine = dataclasses.replace(one.path.machine, dialect="svg")
    with pytest.raises(InputError, match="SVG has no way to dip a brush; set refill.every to 0"):
        written("svg", plan(random_program(3), machine))


def test_ids_of_svg_are_unique():
    one = plan(
        random_program(3, strokes=12), load_machine("sheet"), Options(width="passes", pens=(Pen("black", width=0.8),))
    )
    ids = re.findall(r' id="(.*?)"', written("svg", one))
    assert len(ids) > 12 and len(ids) == len(set(ids))


@pytest.mark.parametrize("dialect", ["csv", "json"])
@pytest.mark.parametrize("machine", ["grbl-brush", "ur5e"])
def test_way_points_are_low_only_where_they_draw_or_stand_still(dialect, machine):
    """What goes straight from row to row must sweep over neither the paper nor the rim of a tray."""
    one = plan(random_program(3, strokes=12), load_machine(machine), Options(width="z"))
    text = written(dialect, one)
    rows = json.loads(text)["waypoints"] if dialect == "json" else [line.split(",") for line in text.splitlines()[1:]]
    up = one.path.machine.lift.up
    for before, after in itertools.pairwise(rows):
        moved = [float(a) != float(b) for a, b in zip(before[1:3], after[1:3], strict=True)]
        if any(moved) and after[-1] != "line":
            assert float(before[3]) == float(after[3]) == up, (before, after)


@pytest.mark.parametrize("name", ["hpgl"])
def test_a_dialect_without_words_for_dipping_says_so(name):
    machine = dataclasses.replace(load_machine("grbl-brush"), dialect=name)
    one = plan(random_program(3), machine)
    with pytest.raises(
        InputError, match='HPGL has no way to dip a brush; set refill.every to 0 and change.wash to "" in'
    ):
        written(name, one)


@pytest.mark.parametrize(
    ("pause", "labels"), [(True, ["1 pen1 black", "!2 pen2 red"]), (False, ["1 pen1 black", "2 pen2 red"])]
)
def test_an_axidraw_waits_before_a_layer_of_another_pen(pause, labels):
    machine = load_machine("axidraw-v3")
    machine = dataclasses.replace(machine, change=dataclasses.replace(machine.change, pause=pause))
    program = Program(
        CanvasSpec(32, 32, 3), [*polyline([(0, 0), (1, 1)]), *polyline([(0, 1), (1, 0)], color=(1, 0, 0))]
    )
    text = WRITERS.get("svg")(plan(program, machine, Options(pens=(Pen("black"), Pen("red")))).path).content()
    assert re.findall(r'inkscape:label="(.*?)"', text) == labels


def test_hpgl_refuses_numbers_it_cannot_say():
    machine = dataclasses.replace(load_machine("hpgl-a4"), units_per_mm=1000.0)
    with pytest.raises(InputError, match="plotter units; HPGL counts to 32767; make the picture smaller"):
        written("hpgl", plan(random_program(3), machine))
    flat = plan(random_program(3), load_machine("hpgl-a4")).flat
    for units in (32767, -32767):
        assert f"PU0,{units};" in Hpgl(dataclasses.replace(flat, events=(Travel(0.0, units / 40),))).content()
    for units in (32768, -32768):
        with pytest.raises(InputError, match=rf"\(0.0, {units / 40:.1f}\) mm is \(0, {units}\) plotter units"):
            Hpgl(dataclasses.replace(flat, events=(Travel(0.0, units / 40),))).content()


def test_layers_of_svg_are_runs_of_a_pen_and_paths_are_named_by_their_first_stroke():
    black, red = (
        polyline([(0.0, 0.0), (0.5, 0.0), (0.5, 0.5)]),
        polyline([(0.5, 0.5), (1.0, 1.0)], color=(1.0, 0.0, 0.0)),
    )
    text = written("svg", planned("svg", Program(CanvasSpec(32, 32, 3), [*black, *red, *black]), landscape=True))
    assert ' width="297mm" height="210mm" viewBox="0 0 297 210">' in text
    layers = re.findall(r'id="layer(\d)" inkscape:label="(.*?)"', text)
    assert layers == [("1", "1 pen1 #000000"), ("2", "!2 pen2 #ff0000"), ("3", "!3 pen1 #000000")]
    assert re.findall(r'path id="stroke(\d)"', text) == ["1", "3", "4"]


def test_g_code_sets_the_speed_before_the_first_line_it_draws():
    for name in ("grbl-servo", "grbl-z", "marlin-servo"):
        one = plan(random_program(3), load_machine(name))
        text = WRITERS.get(one.path.machine.dialect)(one.flat).content()
        first = next(line for line in text.splitlines() if line.startswith("G1 X"))
        assert first.endswith(f"F{one.path.machine.speed.draw:.0f}")


def test_urscript_is_a_program_of_whole_lines_and_blends_do_not_overlap():
    one = plan(random_program(3, strokes=12), load_machine("ur5e"))
    text = written("urscript", one)
    number = r"-?\d+\.\d+"
    pose = rf"pose_trans\(plane, p\[{number}, {number}, {number}, 3\.141593, 0, 0\]\)"
    grammar = "|".join(
        [
            r"def spiral_painting\(\):",
            "end",
            r"spiral_painting\(\)",
            r"  # [\w ,.:#-]+",
            r'  textmsg\("stroke \d+"\)',
            r"  here = pose_trans\(pose_inv\(plane\), get_actual_tcp_pose\(\)\)",
            rf"  if here\[2\] < {number}:",
            (
                rf"    movel\(pose_trans\(plane, p\[here\[0\], here\[1\], {number}, here\[3\], here\[4\], here\[5\]\]\), "
                rf"a={number}, v={number}\)"
            ),
            "  end",
            rf"  plane = p\[{number}(, {number}){{5}}\]",
            rf"  movel\({pose}, a={number}, v={number}\)",
            rf"  movep\({pose}, a={number}, v={number}, r={number}\)",
            rf"  sleep\({number}\)",
            r'  popup\("[\w ,.:#-]+", title="SPIRAL", blocking=True\)',
        ]
    )
    for line in text.splitlines():
        assert re.fullmatch(grammar, line), line
    moves = re.findall(
        rf"(movel|movep)\(pose_trans\(plane, p\[({number}), ({number}), ({number}).*?(?:r=({number}))?\)$",
        text,
        re.MULTILINE,
    )
    for (_, *a, r1), (kind, *b, r2) in itertools.pairwise(moves):
        length = sum((float(p) - float(q)) ** 2 for p, q in zip(a, b, strict=True)) ** 0.5
        if kind == "movep":
            assert float(r1 or 0) + float(r2) <= length + 2e-6
    assert sum(isinstance(event, Line) for event in one.flat.events) == len([m for m in moves if m[0] == "movep"])
