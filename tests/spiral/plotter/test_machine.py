import dataclasses
import re
import typing

import pytest

from spiral.errors import InputError
from spiral.plotter.machine import RULES, Machine, Tray, load_machine, machine_names, machine_text
from spiral.plotter.pens import Pen
from spiral.plotter.writers import WRITERS
from spiral.settings import made

SMALL = """
description = "a machine for tests"
dialect = "grbl"
[area]
x = [0, 100]
y = [0, 100]
# the end
"""
END = "# the end"
TRAY = "[[trays]]\nname = 'water'\nat = [0, 10]"


@pytest.fixture
def machine_file(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return str(path)

    return write


@pytest.mark.parametrize("name", machine_names())
def test_every_machine_that_is_shipped_is_accepted_and_described(name):
    machine = load_machine(name)
    assert machine.name == name and machine.dialect in WRITERS.names()
    assert 20 < len(machine.description) < 120
    page = machine.page()
    x, y = machine.sheet.at
    margin = machine.sheet.margin
    for corner_x in (x + margin, x + page.width - margin):
        for corner_y in (y + margin, y + page.height - margin):
            machine.check_inside(corner_x, corner_y, "the picture's corner")


def test_a_handful_of_machines_for_every_dialect_of_machines():
    spoken = {load_machine(name).dialect for name in machine_names()}
    assert spoken == {"svg", "grbl", "marlin", "hpgl", "urscript"}


def test_a_copy_of_a_shipped_machine_is_that_machine(tmp_path):
    path = tmp_path / "grbl-servo.toml"
    path.write_text(machine_text("grbl-servo"))
    assert load_machine(str(path)) == load_machine("grbl-servo")


def test_what_a_file_does_not_say_has_its_default(machine_file):
    machine = load_machine(machine_file(SMALL))
    assert machine.name == "mine" and machine.pens == () and machine.speed.draw == 2000.0
    assert machine.area.x == (0.0, 100.0) and machine.sheet.page == "A4"


@pytest.mark.parametrize(
    ("line", "instead", "message"),
    [
        ("y = [0, 100]", "", "setting area.y is missing"),
        ("x = [0, 100]", "x = [100, 0]", r"area.x must be \[least, most\], got \[100, 0\]"),
        ("x = [0, 100]", "x = [5, 5]", r"area.x must be \[least, most\], got \[5, 5\]"),
        (END, "z = [20, 0]", r"area.z must be \[least, most\], got \[20, 0\]"),
        ("x = [0, 100]", "x = [0, nan]", "setting area.x must be from -10000 to 10000, got nan"),
        ("x = [0, 100]", "x = [0]", r"setting area.x must be a list of 2 values, got \[0\]"),
        ("x = [0, 100]", "x = 3\nx = 4", "not TOML"),
        (END, "colour = 3", "unknown setting 'area.colour'; known: area.x, area.y, area.z"),
        (END, "z = [0, 20]\n[lift]\npress = -1", "lift.press is -1 mm, outside area.z: 0 to 20"),
        (END, "z = [-5, 4]", "lift.up is 5 mm, outside area.z: -5 to 4"),
        (END, "z = [-5, 9]\n[refill]\ndepth = -6\n" + TRAY, "refill.depth is -6 mm, outside area.z: -5 to 9"),
        (END, "[speed", "not TOML"),
        (END, "[speed]\ndraw = 0", "setting speed.draw must be from 1 to 1e\\+06, got 0"),
        (END, "[sheet]\npage = 'B9'", "unknown page 'B9'"),
        (END, "[sheet]\ny = 'left'", "unknown sheet.y 'left'; known: up, down"),
        (END, "[lift]\nup = 0", "lift must have up above down, and press not above down; got up 0, down 0, press 0"),
        (END, "[lift]\npress = 1", "lift must have up above down, and press not above down; got up 5, down 0, press 1"),
        (END, "[lift]\nkind = 'magnet'", "unknown lift.kind 'magnet'; known: z, servo, pen"),
        (END, "a = " + "[" * 10_000, "not TOML"),
        ('"grbl"', '"grbl"\npens = [3]', "setting pens is a group, got 3; set one of its fields, such as pens.color"),
        (
            END,
            "[lift]\nkind = 'servo'\nup = 7\ndown = 7",
            "lift.up and lift.down are both 7: the servo would never raise",
        ),
        (
            END,
            "[pens]\ncolor = 'red'",
            r"setting pens must be a list of groups, in TOML each begun by \[\[pens\]\], got {'co",
        ),
        (END, "[[pens]]\nwidth = 3", "setting pens.color is missing"),
        (END, "[[pens]]\ncolor = 'blak'", "unknown colour 'blak'"),
        (END, TRAY.replace("10]", "101]"), r"tray water would go to \(0.000, 101.000\) mm, outside the"),
        (END, "[change]\nwash = 'water'", r"unknown tray 'water'; known: none \(machine mine\)"),
        (END, "[refill]\nevery = 0.5", r"refill.every must be 0 \(never\) or at least 1 mm, got 0.5"),
        ('"grbl"', '"grbl"\nname = "x"', "unknown setting 'name': a machine is called like its file"),
        (END, "[refill]\nevery = 10\n[[pens]]\ncolor = 'red'", "unknown tray 'red'; known: none"),
    ],
)
def test_a_machine_that_is_refused(machine_file, line, instead, message):
    path = machine_file(SMALL.replace(line, instead))
    with pytest.raises(InputError, match=f"^{re.escape(path)}: {message}") as refused:
        load_machine(path)
    assert "\n" not in str(refused.value)


def test_depth_matters_only_where_there_are_trays(machine_file):
    assert load_machine(machine_file(SMALL.replace(END, "z = [1, 9]\n[lift]\ndown = 2\npress = 1"))).refill.depth == 0.0


def test_every_number_of_a_machine_has_limits_or_is_checked_with_others():
    assert {name for name, kind in values(Machine) if kind in (int, float)} == set(RULES.limits)
    assert set(RULES.choices) <= {name for name, kind in values(Machine) if kind is str}


def values(kind, prefix=""):
    """Dotted name and type of every value; those of a list have the list's name."""
    for name, inner in typing.get_type_hints(kind).items():
        (inner, *_) = [one for one in typing.get_args(inner) if one not in (Ellipsis, type(None))] or [inner]
        if dataclasses.is_dataclass(inner):
            yield from values(inner, f"{prefix}{name}.")
        else:
            yield prefix + name, inner


@pytest.mark.parametrize("key", RULES.limits)
def test_limits_of_a_machine_hold(key):
    low, high = RULES.limits[key]
    group, _, name = key.rpartition(".")
    kind = {"": Machine, "pens": Pen, "trays": Tray}.get(group) or typing.get_type_hints(Machine)[group]
    for value in (low - 1, high + 1):
        inner = typing.get_type_hints(kind)[name]
        value = [value] * len(typing.get_args(inner)) if typing.get_origin(inner) is tuple else value
        with pytest.raises(InputError, match=f"setting {key} must be from "):
            made(kind, {name: value}, RULES, f"{group}." if group else "")


def test_a_page_may_be_turned_and_turned_back():
    machine = load_machine("grbl-brush")
    assert [machine.page(landscape=turned).width for turned in (None, True, False)] == [297.0, 297.0, 210.0]
    assert machine.page("A5", False).width == 148.0


def test_a_pen_takes_its_paint_from_its_own_tray_or_the_one_it_names():
    machine = load_machine("grbl-brush")
    assert machine.tray_of(Pen("red")).name == "red" and machine.tray_of(Pen("red", tray="blue")).name == "blue"


def test_a_park_outside_the_area_is_refused(machine_file):
    with pytest.raises(
        InputError, match=r"park would go to \(-1.000, 0.000\) mm, outside the work area of mine: x 0 to 100"
    ):
        load_machine(machine_file("park = [-1, 0]\n" + SMALL))


def test_names_and_files_that_are_not_there(tmp_path):
    with pytest.raises(
        InputError,
        match="unknown machine 'grbl-sevo'; known: .* Did you mean 'grbl-servo'.* to begin one: spiral list machines grbl-servo > mine.toml",
    ):
        load_machine("grbl-sevo")
    with pytest.raises(InputError, match=re.escape(f"cannot read {tmp_path}/no.toml: No such file or directory")):
        load_machine(f"{tmp_path}/no.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="binary.toml: not a machine's file: not a text file"):
        load_machine(f"{tmp_path}/binary.toml")
    (tmp_path / "big.toml").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(InputError, match="big.toml: larger than 1 MiB, the most a machine's file may have"):
        load_machine(f"{tmp_path}/big.toml")


def test_a_micrometre_outside_is_outside():
    machine = load_machine("grbl-servo")
    machine.check_inside(210.0, 297.0, "it")
    machine.check_inside(210.0 + 1e-9, 297.0 + 1e-9, "it")
    machine.check_inside(-1e-9, -1e-9, "it")
    for x, y in ((210.001, 0.0), (-0.001, 0.0), (0.0, 297.001), (0.0, -0.001), (float("nan"), 0.0)):
        with pytest.raises(
            InputError, match="it would go to .* outside the work area of grbl-servo: x 0 to 210, y 0 to 297"
        ):
            machine.check_inside(x, y, "it")


def test_pressure_is_height_on_a_z_axis_only():
    brush, servo = load_machine("grbl-brush"), load_machine("grbl-servo")
    assert [brush.height(pressure) for pressure in (0.0, 0.5, 1.0)] == [0.0, -1.5, -3.0]
    assert servo.height(0.0) == servo.height(1.0) == 700.0
