"""``spiral export`` as it is typed: files, what is said, and bad input that leaves nothing behind."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plotter_programs import letter_f, random_program

from spiral import Brush, Program, Stroke
from spiral.cli import main
from spiral.plot import BAUD
from spiral.plotter.machine import machine_text
from spiral.plotter.plan import Options


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder with an F, as the working directory."""
    monkeypatch.chdir(tmp_path)
    letter_f().save("f.json")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, ["export", *map(str, arguments)])


def test_a_file_is_written_and_a_line_says_what_the_machine_will_do(here):
    done = run("f.json", "-o", "f.gcode", "--machine", "grbl-servo")
    assert done.exit_code == 0, done.output
    assert "3 strokes, 0.29 m of ink, 0.41 m of travel, 2 lifts, about 0:15\n" in done.stdout
    assert done.stdout.endswith("wrote f.gcode\n")
    assert "Note: 3 strokes wider than the pen's line (at most 9 mm, pen black 0.5 mm)" in done.stderr
    assert (here / "f.gcode").read_text().startswith("(spiral-painter, machine grbl-servo)\n(estimate ")


def test_every_format_is_written_from_one_call(here):
    suffixes = ("gcode", "nc", "svg", "csv", "json", "png", "html")
    outputs = [argument for suffix in suffixes for argument in ("-o", f"out/f.{suffix}")]
    assert run("f.json", *outputs, "--machine", "grbl-servo").exit_code == 0
    assert sorted(path.suffix[1:] for path in (here / "out").iterdir()) == sorted(suffixes)


def test_the_report_shows_both_orders_where_they_differ(here):
    random_program(3, strokes=12).save("r.json")
    done = run("r.json", "-o", "r.svg", "--order", "safe", "--report")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["as", "painted", "as", "planned"]
    assert {line.split("  ")[0] for line in lines} >= {
        "strokes",
        "ink",
        "travel, pen up",
        "lifts",
        "pen changes",
        "time",
    }
    assert "Note: this order changes no pixel of the picture" in done.stderr


def test_where_orders_do_not_differ_the_report_is_one_column(here):
    lines = run("f.json", "-o", "f.gcode", "--machine", "grbl-servo", "--report").stdout.splitlines()
    assert lines[0] == "strokes            3" and lines[2] == "travel, pen up     0.41 m", lines
    assert "pen 1: black, 0.5 mm" in lines


def test_each_machine_gets_its_own_dialect_and_svg_its_curves(here):
    assert run("f.json", "-o", "F.NC", "-o", "f.svg", "--machine", "marlin-servo").exit_code == 0
    assert (here / "F.NC").read_text().startswith("; spiral-painter, machine marlin-servo\n")
    assert "Q" in (here / "f.svg").read_text().partition("</metadata>")[2]


def test_figures_as_json(here):
    done = run("f.json", "-o", "f.svg", "--json")
    figures = json.loads(done.stdout)
    assert figures["order"] == [0, 1, 2] and figures["after"]["lifts"] == 2 and figures["machine"] == "sheet"
    assert figures["before"] == figures["after"] and figures["picture_mm"] == [15.0, 58.5, 180.0, 180.0]
    assert figures["page_mm"] == [210.0, 297.0]


def test_figures_of_another_order_are_others(here):
    random_program(3, strokes=12).save("r.json")
    options = ("--order", "colour", "--pens", "black:0.5,red")
    figures = json.loads(run("r.json", "-o", "r.svg", *options, "--json").stdout)
    assert figures["before"]["pen_changes"] > figures["after"]["pen_changes"] == 1
    assert [pen["width_mm"] for pen in figures["pens"]] == [0.5, None]
    assert any(note.startswith("this order changes") for note in figures["notes"])


def test_a_machine_of_ones_own(here):
    (here / "mine.toml").write_text(machine_text("grbl-servo").replace("x = [0, 210]", "x = [0, 120]"))
    done = run("f.json", "-o", "f.gcode", "--machine", "mine.toml")
    assert done.exit_code == 2 and "outside the work area of mine: x 0 to 120" in done.stderr
    assert run("f.json", "-o", "f.gcode", "--machine", "mine.toml", "--page", "100x100").exit_code == 0


def test_a_machine_that_speaks_what_nobody_knows(here):
    (here / "mine.toml").write_text(machine_text("grbl-servo").replace('"grbl"', '"grbbl"'))
    done = run("f.json", "-o", "f.gcode", "--machine", "mine.toml")
    assert done.exit_code == 2
    assert (
        "machine mine: unknown dialect 'grbbl'; known: csv, grbl, " in done.stderr
        and "Did you mean 'grbl'?" in done.stderr
    )


@pytest.mark.parametrize(("name", "kind"), [("grbl-servo", "pen"), ("ur5e", "servo"), ("hpgl-a4", "z")])
def test_a_lift_that_the_dialect_has_no_words_for(here, name, kind):
    text = re.sub(r'kind = "\w+"', f'kind = "{kind}"', machine_text(name))
    (here / "mine.toml").write_text(text)
    suffix = {"grbl-servo": "gcode", "ur5e": "script", "hpgl-a4": "hpgl"}[name]
    done = run("f.json", "-o", f"f.{suffix}", "--machine", "mine.toml")
    assert done.exit_code == 2 and f"machine mine: lift.kind is '{kind}'; " in done.stderr


def test_on_a_sheet_none_paints_on_its_neighbour(here):
    stroke = Stroke((0.5, 0.5), (1.9, 0.5), (1.9, 0.5), Brush(0.05))
    Program(letter_f().canvas, [stroke]).save("off.json")
    done = run("f.json", "off.json", "-o", "sheet.svg")
    assert done.exit_code == 2 and "off.json: stroke 1 leaves the canvas" in done.stderr
    done = run("off.json", "f.json", "-o", "sheet.csv", "--clip")
    assert done.exit_code == 0
    drawn = [line.split(",") for line in (here / "sheet.csv").read_text().splitlines() if line.endswith(",line")]
    assert max(float(row[1]) for row in drawn if row[9] == "1") == pytest.approx(105.0, abs=0.01)


def test_losses_of_several_files_are_added_up(here):
    for name in ("a.ndjson", "b.ndjson"):
        (here / name).write_text(2 * '{"drawing": [[[0, 255], [0, 255]]]}\n')
    done = run("a.ndjson", "b.ndjson", "-o", "sheet.svg")
    assert "Note: files of several drawings, of which the first is taken (--drawing N takes another): 2" in done.stderr


def test_options_left_out_are_those_of_the_library():
    options = {option.name: option.default for option in main.commands["export"].params}
    assert {name: options[name] for name in ("width", "order", "tolerance", "first")} == {
        name: getattr(Options(), name) for name in ("width", "order", "tolerance", "first")
    }
    assert {option.name: option.default for option in main.commands["plot"].params}["baud"] == BAUD


def test_a_drawing_of_another_format_goes_to_paper(here):
    (here / "cats.ndjson").write_text(
        '{"drawing": [[[0, 255], [0, 255]]]}\n{"drawing": [[[0, 255, 255], [0, 0, 255]]]}\n'
    )
    done = run("cats.ndjson", "--drawing", 1, "-o", "cat.gcode", "--machine", "grbl-servo")
    assert done.exit_code == 0 and done.stdout.startswith("2 strokes, 0.36 m of ink"), done.output
    assert "1 lift," in done.stdout
    said = run("cats.ndjson", "-o", "cat.gcode", "--machine", "grbl-servo").stderr
    assert "Note: files of several drawings, of which the first is taken" in said


def test_the_svg_of_a_painting_goes_to_paper_again(here):
    assert run("f.json", "-o", "f.svg").exit_code == 0
    assert run("f.svg", "-o", "again.gcode", "--machine", "grbl-servo").exit_code == 0
    assert run("f.json", "-o", "f.gcode", "--machine", "grbl-servo").exit_code == 0
    assert (here / "again.gcode").read_bytes() == (here / "f.gcode").read_bytes()


def test_the_rest_after_an_interruption(here):
    assert run("f.json", "-o", "rest.gcode", "--machine", "grbl-servo", "--from", 2).exit_code == 0
    text = (here / "rest.gcode").read_text()
    assert "(stroke 2 at" in text and "(stroke 1 at" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["f.json", "-o", "f.gcode"],
            "f.gcode is written for one machine; say which by --machine: grbl-brush, grbl-servo, ",
        ),
        (["f.json", "-o", "f.dxf"], "cannot write f.dxf: unknown suffix '.dxf'; accepted: .csv, "),
        (["f.json", "-o", "f"], "cannot write f: unknown suffix ''; accepted: "),
        (
            ["f.json", "-o", "f.gcode", "--machine", "axidraw-v3"],
            "machine axidraw-v3 does not read f.gcode: it speaks svg; write .svg, or choose another machine: grbl-brush",
        ),
        (["f.json", "-o", "f.svg", "--machine", "axidraw"], "unknown machine 'axidraw'; known: axidraw-a3, axidraw-v3"),
        (["f.json", "-o", "f.svg", "--machine", "no.toml"], "cannot read no.toml: No such file or directory"),
        (["f.json", "-o", "f.json"], "f.json is what is read; give the output another name"),
        (["no.json", "-o", "f.svg"], "cannot read no.json: No such file or directory"),
        (["f.json", "-o", "f.svg", "--page", "A99"], "unknown page 'A99'"),
        (["f.json", "-o", "f.svg", "--pens", "blak"], "cannot read the pen 'blak'"),
        (["f.json", "-o", "f.svg", "--from", "4"], "strokes 4 to 3 are asked for; there are strokes 1 to 3"),
        (["f.json", "-o", "f.svg", "--drawing", "1"], "f.json has no drawing 1"),
        (["f.json", "-o", "f.svg", "--page", "3000x3000"], "outside the work area of sheet"),
        (["f.json"], "Missing option '-o'"),
        (["f.json", "-o", "f.svg", "--margin", "wide"], "'wide' is not a valid float"),
    ],
)
def test_bad_input_is_one_line_exit_code_2_and_no_file(here, arguments, message):
    before = sorted(here.iterdir())
    done = run(*arguments)
    assert done.exit_code == 2 and message in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""
    assert sorted(here.iterdir()) == before


def test_one_bad_output_among_good_ones_leaves_none(here):
    done = run("f.json", "-o", "a.svg", "-o", "b.gcode", "--machine", "hpgl-a4")
    assert done.exit_code == 2 and not (here / "a.svg").exists()


def test_an_output_that_cannot_be_written_leaves_the_others_unwritten(here):
    (here / "old.svg").write_text("before")
    (here / "file").touch()
    done = run("f.json", "-o", "new.svg", "-o", "old.svg", "-o", "file/f.svg")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (
        2,
        "Error: cannot write file/f.svg: file is no folder; choose a folder",
    )
    assert sorted(path.name for path in here.iterdir()) == ["f.json", "file", "old.svg"]
    assert (here / "old.svg").read_text() == "before"


def test_an_output_named_twice_is_written_and_said_once(here):
    assert run("f.json", "-o", "f.svg", "-o", "f.svg").stdout.endswith("wrote f.svg\n")


def test_a_picture_that_leaves_the_work_area_leaves_the_old_file_alone(here):
    (here / "f.gcode").write_text("what was there")
    assert run("f.json", "-o", "f.gcode", "--machine", "grbl-servo", "--page", "A3").exit_code == 2
    assert (here / "f.gcode").read_text() == "what was there"


broken = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(str.encode),
    # A good program with one value replaced by nonsense.
    st.builds(
        lambda at, what: _spoilt(at, what),
        st.integers(0, 10**6),
        st.sampled_from(
            ["NaN", "Infinity", "1e999", "-1e400", "null", '"x"', "[]", "{}", "99999", "-5", "[" * 5000, "1" * 5000]
        ),
    ),
)


def _spoilt(at, what):
    import re

    text = random_program(1).to_json()
    numbers = list(re.finditer(r"-?\d+(\.\d+)?(e-?\d+)?", text))
    one = numbers[at % len(numbers)]
    return (text[: one.start()] + what + text[one.end() :]).encode()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=broken, suffix=st.sampled_from([".json", ".svg", ".ndjson", ".txt", ".npz", ".npy"]))
def test_any_file_is_exported_or_refused_in_one_line(here, content, suffix):
    source, output = here / f"in{suffix}", here / "out.gcode"
    source.write_bytes(content)
    output.unlink(missing_ok=True)
    done = run(source, "-o", output, "--machine", "grbl-servo")
    if done.exit_code == 0:
        assert output.exists()
    else:
        assert done.exit_code == 2 and not output.exists(), done.exception
        error = [line for line in done.stderr.splitlines() if not line.startswith("Note: ")]
        assert len(error) == 1 and error[0].startswith("Error: ") and len(error[0]) < 1000


machine_values = st.one_of(
    st.sampled_from([0, -1, 1e308, float("inf"), float("nan"), True, "", "x", [], [0], [0, 1], {}, "a" * 10**4]),
    st.integers(-(10**30), 10**30),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(line=st.integers(0, 40), value=machine_values)
def test_any_machine_is_accepted_or_refused_in_one_line(here, line, value):
    lines = machine_text("grbl-brush").splitlines()
    settable = [i for i, one in enumerate(lines) if "=" in one.partition("#")[0]]
    i = settable[line % len(settable)]
    lines[i] = f"{lines[i].partition('=')[0]}= {_toml(value)}"
    (here / "mine.toml").write_text("\n".join(lines))
    (here / "out.gcode").unlink(missing_ok=True)
    done = run("f.json", "-o", "out.gcode", "--machine", "mine.toml", "--width", "z")
    assert (done.exit_code, (here / "out.gcode").exists()) in ((0, True), (2, False)), done.exception
    assert done.exit_code == 0 or len(done.stderr.splitlines()) <= 3


def _toml(value):
    if isinstance(value, float):
        return {"inf": "inf", "nan": "nan"}.get(str(value), repr(value))
    return "{}" if value == {} else json.dumps(value)


def test_without_shapely_the_line_says_what_to_install(here):
    code = "import sys; sys.modules['shapely'] = None; from spiral.cli import main; main()"
    random_program(3, strokes=12).save("r.json")
    plain = [sys.executable, "-c", code, "export", "r.json", "-o", "r.svg"]
    assert subprocess.run(plain, capture_output=True, check=False).returncode == 0, "most of it works without"
    done = subprocess.run([*plain, "--order", "safe"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "Error: this needs shapely; run: pip install 'spiral-painter[plot]'"


def test_machines_are_listed_and_their_files_shown(here):
    listed = CliRunner().invoke(main, ["list", "machines"])
    assert listed.exit_code == 0 and "grbl-servo    A4 plotter with GRBL 1.1" in listed.stdout
    shown = CliRunner().invoke(main, ["list", "machines", "grbl-servo"])
    assert shown.stdout == machine_text("grbl-servo")
    refused = CliRunner().invoke(main, ["list", "renderers", "cairo"])
    assert refused.exit_code == 2
    assert "only presets and machines have a file to show, got renderers; leave 'cairo' out" in refused.stderr


def test_a_full_disk_leaves_no_half_file(here, tmp_path):
    """A file system of a few kilobytes, where this machine lets a test make one."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = (
        shutil.which("mount")
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", small], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("needs the right to mount a file system")
    try:
        done = run("f.json", "-o", small / "f.png")
        assert done.exit_code == 2 and "No space left on device" in done.stderr
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)
