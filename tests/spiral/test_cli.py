import dataclasses
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner
from PIL import Image

import spiral
from spiral import Brush, Program, Stroke
from spiral.canvas import CanvasSpec
from spiral.cli import Commands, main
from spiral.errors import InputError, ProgramError, SpiralError
from spiral.program import pixel_checksum, replay
from spiral.renderers import RENDERERS
from spiral.svg import to_svg

PROGRAM = Program(CanvasSpec(64, 32, 3), (Stroke((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), Brush(0.1)),))


@pytest.fixture
def program_file(tmp_path):
    path = tmp_path / "painting.json"
    dataclasses.replace(PROGRAM, checksum=pixel_checksum(replay(PROGRAM))).save(path)
    return path


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("command", [[], ["replay"], ["list"]])
def test_help_explains_with_examples(command):
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "Examples:\n" in result.stdout and "  spiral " in result.stdout


def test_what_each_command_does_is_told_whole():
    commands = run("--help").stdout.partition("Commands:\n")[2].partition("\n\n")[0]
    assert len(commands.splitlines()) == len(main.commands)
    assert all(line.endswith(".") and not line.endswith("...") for line in commands.splitlines())


def test_the_version_is_the_packages():
    assert run("--version").stdout == f"spiral, version {spiral.__version__}\n"


@pytest.mark.parametrize("suffix", [".png", ".svg", ".html", ".gif", ".apng", ".mp4"])
def test_replay_writes_the_file_and_says_so(program_file, tmp_path, suffix):
    output = tmp_path / f"out{suffix}"
    result = run("replay", program_file, "-o", output)
    assert (result.exit_code, result.stdout, result.stderr) == (0, f"wrote {output}\n", "")
    assert output.stat().st_size > 0


def test_replay_is_as_large_as_asked(program_file, tmp_path):
    output = tmp_path / "out.png"
    run("replay", program_file, "-o", output, "--size", 100)
    assert Image.open(output).size == (100, 50)


def test_replay_by_another_renderer(program_file, tmp_path):
    outputs = [tmp_path / "cairo.png", tmp_path / "reference.png"]
    for output in outputs:
        assert run("replay", program_file, "-o", output, "--size", 64, "--renderer", output.stem).exit_code == 0
    assert outputs[0].read_bytes() != outputs[1].read_bytes()


def test_a_film_is_as_long_as_asked(program_file, tmp_path):
    output = tmp_path / "out.apng"
    run("replay", program_file, "-o", output, "--size", 16, "--seconds", 0.5, "--fps", 8)
    with Image.open(output) as film:
        assert film.n_frames == 5 and film.info["duration"] == 125


def test_replay_warns_where_the_pixels_are_not_what_was_painted(program_file, tmp_path):
    dataclasses.replace(PROGRAM, checksum="0" * 64).save(program_file)
    result = run("replay", program_file, "-o", tmp_path / "out.png")
    assert result.exit_code == 0
    assert result.stderr.startswith("Warning: the pixels differ from when this was painted")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("out.jpg", [], r"unknown suffix '.jpg'; accepted: .png, .svg, .html, .gif, .apng, .mp4"),
        ("out.png", ["--size", "8"], "size must be a whole number from 16 to 8192, got 8"),
        ("out.png", ["--renderer", "cario"], "unknown renderer 'cario'; known: cairo, reference. Did you mean"),
        ("out.svg", ["--renderer", "cairo"], "an SVG has no renderer, got 'cairo'; leave it out or write one of .png,"),
        ("out.gif", ["--size", "3000"], "the size of a GIF must be a whole number from 16 to 2048, got 3000"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_file(program_file, tmp_path, name, options, message):
    result = run("replay", program_file, "-o", tmp_path / name, *options)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1 and message in result.stderr
    assert list(tmp_path.iterdir()) == [program_file]


def test_an_output_that_cannot_be_is_refused_before_the_program_is_read(tmp_path):
    assert "unknown suffix" in run("replay", tmp_path / "missing.json", "-o", "out.jpg").stderr


def test_a_program_that_cannot_be_read_is_named(tmp_path):
    result = run("replay", tmp_path / "missing.json", "-o", tmp_path / "out.png")
    assert result.exit_code == 2
    assert result.stderr == f"Error: cannot read {tmp_path / 'missing.json'}: No such file or directory\n"


def test_list_without_a_kind_lists_the_kinds():
    assert run("list").stdout.split() == [
        "presets",
        "painters",
        "datasets",
        "renderers",
        "objectives",
        "machines",
        "formats",
    ]


def test_list_describes_everything_of_a_kind():
    lines = run("list", "renderers").stdout.splitlines()
    assert [line.split()[0] for line in lines] == RENDERERS.names()
    assert lines[0] == "cairo      Anti-aliased strokes by cairo; the default, and what training uses."


@pytest.mark.parametrize("kind", ["presets", "painters", "datasets", "objectives", "machines", "formats"])
def test_every_kind_has_something_to_choose(kind):
    result = run("list", kind)
    assert result.exit_code == 0, result.output
    assert all(len(line.split()) > 1 for line in result.stdout.splitlines()) and result.stdout


def test_list_of_an_unknown_kind_names_the_known_ones():
    result = run("list", "brushes")
    assert result.exit_code == 2 and "'presets', 'painters', 'datasets', 'renderers'" in result.stderr


@pytest.mark.parametrize(
    ("error", "exit_code", "line"),
    [
        (InputError("bad value"), 2, "Error: bad value\n"),
        (ProgramError("bad file"), 2, "Error: bad file\n"),
        (SpiralError("work failed"), 1, "Error: work failed\n"),
        (
            ModuleNotFoundError("No module named 'torch'", name="torch.nn"),
            1,
            "Error: this needs torch; run: pip install 'spiral-painter[train]'\n",
        ),
    ],
)
def test_errors_become_one_line_and_an_exit_code(error, exit_code, line):
    result = CliRunner().invoke(group_that_raises(error), ["work"])
    assert (result.exit_code, result.stderr) == (exit_code, line)


def test_a_fault_of_the_program_itself_keeps_its_traceback():
    for error in (ZeroDivisionError(), ModuleNotFoundError("No module named 'spiral.typo'", name="spiral.typo")):
        assert CliRunner().invoke(group_that_raises(error), ["work"]).exception is error


def group_that_raises(error):
    @click.group(cls=Commands)
    def group():
        pass

    @group.command()
    def work():
        raise error

    return group


def test_the_command_runs_as_a_module_of_its_own(program_file, tmp_path):
    code = "from spiral.cli import main; main()"
    arguments = ["replay", str(program_file), "-o", str(tmp_path / "out.bmp")]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr and "accepted: .png, .svg, .html" in done.stderr


def test_what_is_replayed_is_not_written_over(tmp_path):
    path = tmp_path / "a.svg"
    path.write_text(to_svg(Program(CanvasSpec(16, 16, 1), [Stroke((0, 0), (0, 0), (1, 1), Brush(0.1))])))
    before = path.read_bytes()
    result = CliRunner().invoke(main, ["replay", str(path), "-o", str(path)])
    assert result.exit_code == 2 and "is what is read; give the output another name" in result.stderr
    assert path.read_bytes() == before
