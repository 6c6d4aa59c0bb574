"""Files read back by software that is not ours: the same places, the same pens, the same picture."""

import io
import json
import random
import re
import shutil
import subprocess
from dataclasses import replace

import cairosvg
import ezhpgl
import numpy as np
import pytest
import resvg_py
from gcode_simulator import GCodeSimulator, GrblSettings
from gcodeparser import parse_gcode_lines
from GcodeTools import Gcode
from PIL import Image
from plotter_programs import letter_f, random_program
from scipy.spatial.transform import Rotation

from spiral import replay
from spiral.errors import InputError
from spiral.plotter.events import Down, Line, Park, Travel, Up
from spiral.plotter.machine import load_machine
from spiral.plotter.plan import Options, plan
from spiral.plotter.writers import WRITERS

PROGRAMS = 200
GCODE_MACHINES = ("grbl-servo", "grbl-z", "marlin-servo")


def planned(program, machine, **options):
    return plan(program, load_machine(machine), Options(**options))


def written(one, dialect):
    writer = WRITERS.get(dialect)
    return writer(one.path if writer.keeps_curves else one.flat).content()


def moves(one):
    """What the toolpath says: (pen is down, x, y) after each move."""
    down, found = False, []
    for event in one.flat.events:
        if isinstance(event, Down | Up):
            down = isinstance(event, Down)
        elif isinstance(event, Travel | Line | Park):
            found.append((down, event.x, event.y))
    return found


def without_repeats(found):
    """Moves to where the pen is already are not written."""
    rounded = [(down, round(x, 3) + 0.0, round(y, 3) + 0.0) for down, x, y in found]
    return [one for i, one in enumerate(rounded) if not (i and one[0] and one[1:] == rounded[i - 1][1:])]


# -- G-code -----------------------------------------------------------------------------------------------------------


def pen_is_down(machine, command, params, before):
    """The state of the pen after a command, by the machine's own numbers."""
    lift = machine.lift
    if lift.kind == "servo" and (command in (("M", 3), ("M", 280))):
        return params["S"] == lift.down
    if lift.kind == "z" and command == ("G", 1) and "Z" in params:
        return params["Z"] < lift.up
    return before


def read_by_gcodeparser(text, machine):
    down, x, y, found = False, None, None, []
    for line in parse_gcode_lines(text):
        if line.command in (("G", 0), ("G", 1)) and {"X", "Y"} & line.params.keys():
            x, y = line.params.get("X", x), line.params.get("Y", y)
            found.append((down, float(x), float(y)))
            assert down == (line.command == ("G", 1)), "G0 only with the pen up, G1 only with it down"
        down = pen_is_down(machine, line.command, line.params, down)
    assert not down, "ends with the pen up"
    return found


def read_by_gcodetools(text):
    """Places only: this reader keeps positions, not pens."""
    blocks = [block for block in Gcode(gcode_str=text) if re.match(r"G[01] X", block.command)]
    return [(float(block.position.X), float(block.position.Y)) for block in blocks]


@pytest.mark.parametrize(("first", "machine"), list(enumerate(GCODE_MACHINES)))
def test_two_readers_of_g_code_find_the_moves_of_every_program(first, machine):
    for seed in range(first, PROGRAMS, len(GCODE_MACHINES)):
        one = planned(random_program(seed), machine)
        text = written(one, one.path.machine.dialect)
        expected = without_repeats(moves(one))
        assert read_by_gcodeparser(text, one.path.machine) == expected, seed
        assert read_by_gcodetools(text) == [(x, y) for _, x, y in expected], seed


def test_whatever_the_machine_everything_written_for_it_lies_inside_or_nothing_is_written():
    refused = 0
    for seed in range(PROGRAMS):
        rng = random.Random(seed)
        x, y = (round(rng.uniform(-100, 100), 1) for _ in range(2))
        machine = load_machine(rng.choice(["grbl-z", "grbl-brush"]))
        machine = replace(
            machine,
            area=replace(machine.area, x=(x, x + rng.randint(50, 500)), y=(y, y + rng.randint(50, 500))),
            sheet=replace(
                machine.sheet, at=(rng.uniform(-150, 150), rng.uniform(-150, 150)), y=rng.choice(["up", "down"])
            ),
            park=(x, y),
        )
        options = Options(page=rng.choice(["A6", "A4", "A3"]), landscape=rng.random() < 0.5, margin=rng.uniform(0, 40))
        try:
            text = written(plan(random_program(seed), machine, options), "grbl")
        except InputError as error:
            assert "outside the work area" in str(error)
            refused += 1
            continue
        for block in Gcode(gcode_str=text):
            if re.match(r"G[01] X", block.command):
                assert x <= block.position.X <= machine.area.x[1] and y <= block.position.Y <= machine.area.y[1], seed
        heights = [float(z) for z in re.findall(r"Z(\S+)", text)]
        assert machine.area.z[0] <= min(heights) and max(heights) <= machine.area.z[1]
    assert 20 < refused < PROGRAMS - 20, "both happen"


def test_pressure_is_depth():
    """A tapered stroke on a machine that presses: z as deep as the stroke is wide."""
    one = planned(random_program(3, strokes=30), "grbl-brush", width="z")
    z, depths = None, []
    for line in parse_gcode_lines(written(one, "grbl")):
        z = line.params.get("Z", z)
        if line.command == ("G", 1) and "X" in line.params:
            depths.append(z)
    expected = [one.path.machine.height(event.pressure) for event in one.flat.events if isinstance(event, Line)]
    assert len(set(depths)) > 20
    assert min(depths) == pytest.approx(min(expected), abs=1e-3) and max(depths) == pytest.approx(
        max(expected), abs=1e-3
    )


@pytest.mark.parametrize("seed", range(10))
def test_the_estimate_is_within_a_tenth_of_a_simulator(seed, capsys):
    one = planned(random_program(seed, strokes=10 + 5 * seed, opaque=True), "grbl-servo")
    speed = one.path.machine.speed
    settings = GrblSettings(
        speed.travel, speed.travel, speed.acceleration, speed.acceleration, speed.junction, grbl_version="0.9i"
    )
    seconds, bounds = GCodeSimulator(settings).estimate_time(written(one, "grbl"))
    capsys.readouterr()  # it prints warnings: it does not plan further ahead than a line
    assert one.after.seconds == pytest.approx(seconds, rel=0.1)
    assert (bounds.max_x, bounds.max_y) == pytest.approx(one.after.bounds[2:], abs=1e-3)


# -- HPGL -------------------------------------------------------------------------------------------------------------

UNIT = 1 / 40  # mm
HALF_DIAGONAL = 0.0177  # mm; as far as rounding to units may move a point


def drawn_lines(one):
    """(pen, polyline) of everything drawn, mm on the machine, as the toolpath says."""
    found, pen = [], 0
    at = None
    for event in one.flat.events:
        if type(event).__name__ == "Select":
            pen = event.pen + 1
        elif isinstance(event, Down):
            found.append((pen, [at]))
        elif isinstance(event, Line):
            found[-1][1].append((event.x, event.y))
        if isinstance(event, Travel | Line):
            at = (event.x, event.y)
    return found


def points_by_pen(lines):
    found = {}
    for pen, points in lines:
        found.setdefault(pen, []).extend(points)
    return found


def furthest(points, others):
    """How far the points are at most from the nearest of the others."""
    gaps = np.linalg.norm(np.array(points)[:, None] - np.array(others)[None], axis=2)
    return max(gaps.min(axis=1).max(), gaps.min(axis=0).max())


def read_by_ezhpgl(text):
    document = ezhpgl.parse(text.encode())
    assert not document.diagnostics
    return [
        (operation.style.pen, [(point.x, point.y) for point in operation.geometry.points])
        for operation in document.pages[0].operations
    ]


def read_by_hp2xx(text, folder):
    """Its SVG has points of 1/72 inch, from the left and up to the top of what is drawn."""
    (folder / "in.hpgl").write_text(text)
    said = subprocess.run(
        ["hp2xx", "-t", "-m", "svg", "-f", folder / "out.svg", folder / "in.hpgl"],
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    left, _ = map(float, re.search(r"Coordinate range: \((\S+), (\S+)\)", said).groups())
    svg = (folder / "out.svg").read_text()
    height = float(re.search(r'viewBox="0 0 \S+ (\S+)"', svg)[1])
    to_mm = 25.4 / 72
    return [
        ((float(x) * to_mm + left * UNIT), (height - float(y)) * to_mm)
        for x, y in re.findall(r"[ML] *([-\d.]+), *([-\d.]+)", svg)
    ]


def test_a_reader_of_hpgl_finds_every_line_of_every_program_with_its_pen():
    for seed in range(PROGRAMS):
        one = planned(random_program(seed), "hpgl-a4")
        found, expected = points_by_pen(read_by_ezhpgl(written(one, "hpgl"))), points_by_pen(drawn_lines(one))
        assert found.keys() == expected.keys(), seed
        for pen, points in expected.items():
            assert furthest(found[pen], points) < HALF_DIAGONAL, seed


@pytest.mark.skipif(not shutil.which("hp2xx"), reason="needs hp2xx, a package of that name on Debian")
def test_another_reader_of_hpgl_finds_them_too(tmp_path):
    for seed in range(PROGRAMS):
        one = planned(random_program(seed), "hpgl-a4")
        found = read_by_hp2xx(written(one, "hpgl"), tmp_path)
        expected = [point for _, points in drawn_lines(one) for point in points]
        assert furthest(found, expected) < HALF_DIAGONAL + 0.001, seed


# -- SVG --------------------------------------------------------------------------------------------------------------


def on_its_own_page(program, **options):
    """The canvas is the whole page, a mm a pixel."""
    page = f"{program.canvas.width}x{program.canvas.height}"
    return planned(program, "sheet", page=page, margin=0.0, **options)


PIXELS = 10  # a mm
DPI = 254  # that is


def over_white(png):
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(white, image).convert("RGB")).astype(int)


def drawn_by_cairosvg(svg):
    return over_white(cairosvg.svg2png(svg.encode(), dpi=DPI))


def drawn_by_resvg(svg):
    return over_white(bytes(resvg_py.svg_to_bytes(svg_string=svg, dpi=DPI)))


def shrunk(picture):
    """Means of squares of pixels: how finely each rasteriser draws curves must not count."""
    height, width, channels = picture.shape
    return picture.reshape(height // PIXELS, PIXELS, width // PIXELS, PIXELS, channels).mean(axis=(1, 3))


def test_two_rasterisers_of_svg_show_the_picture_of_every_program():
    spotless = 0
    for seed in range(PROGRAMS):
        program = random_program(seed, tapered=False, largest=48)
        svg = written(on_its_own_page(program), "svg")
        picture = replay(program, size=PIXELS * max(program.canvas.width, program.canvas.height)).astype(int)
        off = np.abs(shrunk(drawn_by_cairosvg(svg)) - shrunk(picture)) > 8
        # Where a curve turns on the spot, the stroker that CairoSVG uses leaves out a corner now and then.
        assert off.mean() < 0.01, seed
        spotless += not off.any()
        assert np.abs(drawn_by_resvg(svg) - picture).mean() < 0.6, seed
    assert spotless >= 0.97 * PROGRAMS


def test_an_svg_brings_its_program_back_whole(tmp_path):
    from spiral.interchange import load_program

    program = random_program(5)
    (tmp_path / "a.svg").write_text(written(planned(program, "sheet", order="safe"), "svg"))
    assert load_program(tmp_path / "a.svg") == program


# -- the right way up ------------------------------------------------------------------------------------------------

F_POINTS = [(0.3, 0.9), (0.3, 0.1), (0.8, 0.1), (0.3, 0.5), (0.6, 0.5)]  # canvas fractions, y down


def f_on_page(width, height):
    """Where the letter's points are on the page of 40 x 60 mm with margins of 5, mm from its top left corner."""
    scale = min(30 / width, 50 / height)
    left, top = (40 - scale * width) / 2, (60 - scale * height) / 2
    return {(round(left + x * scale * width, 3), round(top + y * scale * height, 3)) for x, y in F_POINTS}


@pytest.mark.parametrize(("width", "height"), [(64, 64), (64, 32), (16, 64)])
@pytest.mark.parametrize("dialect", ["svg", "grbl", "marlin", "hpgl", "csv", "urscript"])
def test_an_f_is_upright_and_not_mirrored(dialect, width, height):
    machine = {"svg": "sheet", "grbl": "grbl-servo", "marlin": "marlin-servo", "hpgl": "hpgl-a4", "csv": "grbl-z"}
    one = planned(letter_f(width, height), machine.get(dialect, "ur5e"), page="40x60", margin=5.0, size=None)
    text = written(one, dialect)
    at_x, at_y = one.path.machine.sheet.at
    if dialect == "svg":
        found = {(float(x), float(y)) for x, y in re.findall(r"([\d.]+),([\d.]+)", text.split("</metadata>")[1])}
        assert f_on_page(width, height) <= {(round(x, 3), round(y, 3)) for x, y in found}
        return
    if dialect == "hpgl":
        drawn = {point for _, points in read_by_ezhpgl(text) for point in points}
    elif dialect == "csv":
        rows = [line.split(",") for line in text.splitlines() if line.endswith(("line", "travel"))]
        drawn = {(float(row[1]), float(row[2])) for row in rows}
    elif dialect == "urscript":
        drawn = {(1000 * float(x), 1000 * float(y)) for x, y in re.findall(r"p\[([-\d.]+), ([-\d.]+), \S+ 3.14", text)}
    else:
        drawn = {(x, y) for _, x, y in read_by_gcodeparser(text, one.path.machine)}
    for x, y in f_on_page(width, height):
        expected = (at_x + x, at_y + 60 - y)  # y up from the page's lower edge
        assert min(np.hypot(expected[0] - a, expected[1] - b) for a, b in drawn) < HALF_DIAGONAL, (dialect, x, y)


@pytest.mark.parametrize("plane", [(0.3, -0.2, 0.05, 0.0, 0.0, 0.0), (-0.4, 0.1, 0.2, 0.3, -0.2, 1.1)])
def test_an_arm_points_its_brush_into_the_paper_and_lifts_it_out_of_it(plane):
    """Poses of the script, put together as the controller does it, against the paper wherever it lies."""
    machine = load_machine("ur5e")
    machine = replace(machine, arm=replace(machine.arm, plane=plane))
    one = plan(letter_f(), machine)
    text = written(one, "urscript")
    stated = re.search(r"plane = p\[(.*)\]", text)[1]
    origin, turned = np.split(np.array([float(value) for value in stated.split(", ")]), [3])
    paper = Rotation.from_rotvec(turned).as_matrix()
    right, up_the_page, out_of_the_paper = paper.T
    heights = {"movel": [], "movep": []}
    places = []
    for kind, pose in re.findall(r"^  (movel|movep)\(pose_trans\(plane, p\[(.*?)\]\)", text, re.MULTILINE):
        place, tool = np.split(np.array([float(value) for value in pose.split(", ")]), [3])
        in_base = origin + paper @ place
        points_to = paper @ Rotation.from_rotvec(tool).as_matrix() @ [0.0, 0.0, 1.0]
        assert np.allclose(points_to, -out_of_the_paper, atol=1e-5)
        heights[kind].append((in_base - origin) @ out_of_the_paper)
        if kind == "movep":
            places.append(((in_base - origin) @ right, (in_base - origin) @ up_the_page))
    assert max(heights["movep"]) <= 0.0 < max(heights["movel"]) == pytest.approx(machine.lift.up / 1000, abs=1e-6)
    marks = [(x / 1000, y / 1000) for mark in one.path.marks for x, y in (mark.end,)]
    assert all(min(np.hypot(x - a, y - b) for a, b in places) < 1e-5 for x, y in marks)


def test_waypoints_are_the_same_as_csv_and_json():
    one = planned(random_program(8), "grbl-brush", width="z")
    table = [line.split(",") for line in written(one, "csv").splitlines()]
    document = json.loads(written(one, "json"))
    assert document["columns"] == table[0] and (document["format"], document["version"]) == ("spiral-waypoints", 1)
    assert [["" if value is None else str(value) for value in row] for row in document["waypoints"]] == table[1:]
    times = [row[0] for row in document["waypoints"]]
    assert times == sorted(times) and times[-1] == pytest.approx(one.flat.times[-1], abs=1e-3)
