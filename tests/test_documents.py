"""What the documents and the help tell people to type works, and the examples they give to programmers run."""

import ast
import itertools
import os
import re
import runpy
import shlex
import textwrap
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from ray_commands import run_by_ray

from spiral import Brush, Program, Stroke
from spiral.agents.discriminator import Discriminator
from spiral.agents.objectives import OBJECTIVES
from spiral.canvas import CanvasSpec
from spiral.cli import main
from spiral.config import DiscriminatorConfig, EnvConfig, ObjectiveConfig
from spiral.datasets import DATASETS, load_pictures
from spiral.plotter.machine import load_machine, machine_text
from spiral.plotter.plan import plan
from spiral.plotter.writers import WRITERS
from spiral.renderers import RENDERERS
from spiral.svg import to_svg

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(ROOT.glob("*.md"))
SHELL = ("bash", "console")
LANGUAGES = (*SHELL, "json", "mermaid", "python", "text", "toml")
# Not ours to test.
FOREIGN = {"cd", "cp", "git", "open", "pip", "python", "python3", "source", "tensorboard", "xdg-open"}
RUN_FOR_REAL = {"convert", "export", "list", "replay"}  # of the subcommands; the others are long work, tested elsewhere


# -- reading ----------------------------------------------------------------------------------------------------------


def blocks(path):
    """(language, text) of every fenced block."""
    fenced = re.findall(r"^( *)```(.*)\n((?s:.*?))^\1```$", path.read_text(), re.MULTILINE)
    return [(language, textwrap.dedent(text)) for _, language, text in fenced]


def shell_lines(language, text):
    """What is typed in a block; of a console block, what stands after a dollar sign."""
    lines = text.replace("\\\n", " ").splitlines()
    if language == "console":
        return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [line for line in lines if line.strip()]


def commands(line):
    """The words of each command of a shell line, without comments, variables set in front of it and redirections."""
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.commenters = "#"
    words.wordchars += ":,"
    found = [[]]
    for word in words:
        if set(word) <= set("|&;"):
            found.append([])
        else:
            found[-1].append(word)
    return [plain for command in found if (plain := _without_surroundings(command))]


def _without_surroundings(command):
    call = itertools.dropwhile(lambda word: re.match(r"\w+=", word), command)
    return list(itertools.takewhile(lambda word: not set(word) <= set("<>&"), call))


def documented_commands():
    for path in DOCUMENTS:
        for language, text in blocks(path):
            if language in SHELL:
                for line in shell_lines(language, text):
                    yield from (pytest.param(command, id=f"{path.name}: {line}") for command in commands(line))


def help_examples():
    """The lines of the help's examples; two spaces end the command."""
    for command in (main, *main.commands.values()):
        for line in (command.epilog or "").splitlines():
            if line.startswith("  "):
                typed = re.split(r"\s{2,}", line.strip())[0]
                yield from (pytest.param(words, id=f"help: {typed}") for words in commands(typed))


PAINTING = Program(CanvasSpec(32, 32, 1), [Stroke((0.1, 0.1), (0.5, y), (0.9, 0.1), Brush(0.1)) for y in (0.5, 0.9)])
READABLE = {
    ".json": PAINTING.to_json(),
    ".svg": to_svg(PAINTING),
    ".toml": machine_text("grbl-servo"),
    ".ndjson": 5 * '{"drawing": [[[0, 255], [0, 255]]]}\n',
}


# -- commands ---------------------------------------------------------------------------------------------------------


def check_spiral(arguments):
    """Parse a call of ``spiral``; make it where that is quick. The files that it names are there to be read."""
    for option, name in itertools.pairwise(["", *arguments]):
        if option not in ("-o", "--output") and Path(name).suffix in READABLE:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text(READABLE[Path(name).suffix])
    if not arguments or arguments[0].startswith("-") or arguments[0] in RUN_FOR_REAL:
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, done.output
        return
    assert arguments[0] in main.commands, f"spiral has no command {arguments[0]!r}"
    try:
        main.commands[arguments[0]].make_context(arguments[0], arguments[1:])
    except click.exceptions.Exit as asked_for_help:
        assert asked_for_help.exit_code == 0


def check_script(path, arguments):
    script = ROOT / path
    assert script.is_file() and os.access(script, os.X_OK), f"{path} is no script"
    if path == "scripts/train":
        check_spiral(["train", *arguments])
    if path == "scripts/test":
        for argument in arguments:
            assert "/" not in argument or (ROOT / argument).exists(), f"{argument} does not exist"


@pytest.mark.parametrize("words", [*documented_commands(), *help_examples()])
def test_a_command_that_people_are_told_to_type_is_one(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_command(words)


def check_command(words):
    program, *arguments = words
    path = program.removeprefix("./")
    if path.startswith("scripts/"):
        check_script(path, arguments)
    elif path.removeprefix(".venv/bin/") == "spiral":
        check_spiral(arguments)
    elif program == "ray":
        check_command(run_by_ray(arguments))
    else:
        assert path.removeprefix(".venv/bin/") in FOREIGN, f"add how to test {program!r}, or add it to FOREIGN"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_no_block_with_commands_is_overlooked(path):
    assert path.read_text().count("```") == 2 * len(blocks(path))
    for language, text in blocks(path):
        assert language in LANGUAGES, f"{path.name} has a block of {language or 'no language'}"
        if language in SHELL:
            assert shell_lines(language, text), f"{path.name} has a {language} block in which nothing is typed"
        else:
            assert not re.search(r"^(\$ )?(spiral|scripts/\w+) ", text, re.MULTILINE), f"mark it console: {text}"


@pytest.mark.parametrize(
    "line",
    [
        "spiral pant x",
        "spiral replay",
        "spiral replay a.json -o a.png --sise 3",
        "spiral list brushes",
        "spiral train --sed 3",
        "scripts/tets",
        "scripts/train --sed 3",
        "scripts/test tests/no_such_file.py",
        "ray job sumbit -- spiral train",
        "ray job submit --working-dri dist -- spiral train",
        "ray job submit -- spiral train --sed 3",
        "frobnicate",
    ],
)
def test_a_wrong_command_would_be_noticed(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    [words] = commands(line)
    with pytest.raises((AssertionError, click.UsageError)):
        check_command(words)


def test_how_shell_lines_are_read():
    text = "$ spiral list && scripts/test -k 'a b'  # a comment\nwhat it prints\n$ A=1 spiral evaluate x \\\n  --json > y\n"
    first, second = shell_lines("console", text)
    assert commands(first) == [["spiral", "list"], ["scripts/test", "-k", "a b"]]
    assert commands(second) == [["spiral", "evaluate", "x", "--json"]]


# -- examples for programmers -----------------------------------------------------------------------------------------


def python_blocks():
    for path in DOCUMENTS:
        for i, (language, text) in enumerate(blocks(path)):
            if language == "python":
                yield pytest.param(text, id=f"{path.name} block {i}")


@pytest.mark.parametrize("text", list(python_blocks()))
def test_what_an_example_imports_is_there(text, tmp_path):
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    file = tmp_path / "imports.py"
    file.write_text("\n".join(map(ast.unparse, imports)))
    runpy.run_path(file)


def check_renderer(name):
    stroke = Stroke((0.1, 0.2), (0.9, 0.1), (0.6, 0.8), Brush(0.2, (1.0, 0.0, 0.5), 0.7, (0.5, 1.0)))
    painted, expected = (RENDERERS.get(renderer)(CanvasSpec(64, 48, 3)) for renderer in (name, "reference"))
    for canvas in (painted, expected):
        canvas.draw(stroke)
    assert np.abs(painted.pixels().astype(float) - expected.pixels()).mean() < 2.0


def check_dataset(name):
    for split, count in (("train", 24), ("test", 6)):
        assert load_pictures(name, split, width=32, height=32, channels=1).images.shape == (count, 32, 32, 1)


def check_objective(name):
    discriminator = Discriminator(DiscriminatorConfig(), EnvConfig(width=16, height=16), OBJECTIVES.get(name).spectral)
    objective = OBJECTIVES.get(name)(ObjectiveConfig(name=name))
    loss, _ = objective.loss(discriminator, torch.ones(4, 1, 16, 16), -torch.ones(4, 1, 16, 16), torch.Generator())
    loss.backward()
    assert loss.isfinite() and all(weights.grad is not None for weights in discriminator.parameters())


def check_writer(name):
    program = Program(CanvasSpec(64, 64, 1), [Stroke((0.0, 0.0), (0.5, 0.5), (1.0, 1.0), Brush(0.1))])
    path = plan(program, load_machine("grbl-servo")).flat
    text = WRITERS.get(name)(path).content()
    assert "15.000 238.500 moveto" in text and "195.000 58.500 lineto\nstroke" in text


KINDS = {
    "spiral/renderers": (RENDERERS, check_renderer),
    "spiral/datasets": (DATASETS, check_dataset),
    "agents/objectives": (OBJECTIVES, check_objective),
    "spiral/plotter/writers": (WRITERS, check_writer),
}
EXAMPLES = [text for language, text in blocks(ROOT / "CONTRIBUTING.md") if language == "python"]


def file_of(example):
    """Where an example says, in its first line, that it belongs."""
    return Path(example.partition("\n")[0].removeprefix("# "))


def test_there_is_an_example_of_each_kind():
    assert [str(file_of(example).parent) for example in EXAMPLES] == list(KINDS)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(file_of(example)))
def test_the_example_of_a_new_file_is_registered_and_works(example, tmp_path, monkeypatch):
    path = file_of(example)
    assert not (ROOT / path).exists()
    registry, check = KINDS[str(path.parent)]
    before = registry.names()
    monkeypatch.setattr(registry, "_entries", dict(registry._entries))  # other tests must not see the new one
    file = tmp_path / path.name
    file.write_text(example)
    runpy.run_path(file)
    [name] = set(registry.names()) - set(before)
    check(name)
