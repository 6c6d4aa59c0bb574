"""The command line. Each command parses, calls one function and prints; what it needs is imported inside it."""

from __future__ import annotations

import inspect

import click

from spiral import __version__
from spiral.errors import InputError, SpiralError
from spiral.registry import Registry

# What comes with an extra of this package, by the name that is imported.
EXTRAS = {"gymnasium": "env", "pygame": "human"} | dict.fromkeys(("torch", "ray", "mlxtend", "tensorboard"), "train")


class Failure(click.ClickException):
    """One line on stderr and an exit code."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


class Commands(click.Group):
    """A group whose commands end with one line, not a traceback, where the fault is not the program's own."""

    def invoke(self, ctx: click.Context):
        try:
            return super().invoke(ctx)
        except InputError as error:
            raise Failure(str(error), 2) from error
        except SpiralError as error:
            raise Failure(str(error), 1) from error
        except ModuleNotFoundError as error:
            missing = (error.name or "").partition(".")[0]
            if missing not in EXTRAS:
                raise
            raise Failure(f"this needs {missing}; run: pip install 'spiral-painter[{EXTRAS[missing]}]'", 1) from error


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  spiral list renderers
  spiral replay painting.json -o painting.png --size 1024
  spiral replay painting.json -o painting.gif""",
)
@click.version_option(__version__, prog_name="spiral")
def main() -> None:
    """An agent that learns to paint with brush strokes, and the stroke programs it leaves behind."""


@main.command(
    epilog="""\b
Examples:
  spiral replay painting.json -o painting.png              the finished painting
  spiral replay painting.json -o painting.gif --size 256   stroke by stroke
  spiral replay painting.json -o painting.svg              as curves, sharp at any size"""
)
@click.argument("program", type=click.Path())
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write; .png, .gif or .svg.")
@click.option("--size", default=512, show_default=True, metavar="PX", help="Pixels of the longer side, 16 to 8192.")
@click.option("--renderer", metavar="NAME", help="Another renderer than the program was painted with.")
def replay(program: str, output: str, size: int, renderer: str | None) -> None:
    """Draw the stroke program PROGRAM again, at any size."""
    from spiral.film import writer_for
    from spiral.program import Program, matches_checksum

    write = writer_for(output)
    loaded = Program.load(program)
    write(loaded, output, size, renderer)
    if loaded.checksum is not None and not matches_checksum(loaded):
        click.echo("Warning: the pixels differ from when this was painted (another drawing library?)", err=True)
    click.echo(f"{output}: {len(loaded.strokes)} strokes")


def _presets() -> dict[str, str]:
    from spiral import config

    return {name: config.preset_description(name) for name in config.preset_names()}


def _datasets() -> dict[str, str]:
    from spiral.datasets import DATASETS

    return _described(DATASETS)


def _renderers() -> dict[str, str]:
    from spiral.renderers import RENDERERS

    return _described(RENDERERS)


def _objectives() -> dict[str, str]:
    from spiral.agents.objectives import OBJECTIVES

    return _described(OBJECTIVES)


def _described(registry: Registry) -> dict[str, str]:
    """Every name with the first line of its entry's docstring."""
    return {name: inspect.getdoc(registry.get(name)).partition("\n")[0] for name in registry.names()}


KINDS = {"presets": _presets, "datasets": _datasets, "renderers": _renderers, "objectives": _objectives}


@main.command(
    "list",
    epilog="""\b
Examples:
  spiral list
  spiral list presets""",
)
@click.argument("kind", type=click.Choice(list(KINDS)), required=False)
def list_(kind: str | None) -> None:
    """List what can be chosen by name; without a kind, the kinds."""
    if kind is None:
        click.echo("\n".join(KINDS))
        return
    choices = KINDS[kind]()
    width = max(map(len, choices), default=0)
    for name, description in choices.items():
        click.echo(f"{name:{width}}  {description}")
