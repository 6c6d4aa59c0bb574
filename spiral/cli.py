"""The command line. Each command parses, calls one function and prints; what it needs is imported inside it."""

from __future__ import annotations

import inspect
import json

import click

from spiral import __version__
from spiral.errors import InputError, SpiralError
from spiral.registry import Registry

# What comes with an extra of this package, by the name that is imported.
EXTRAS = {
    "gymnasium": "env",
    "pygame": "human",
    **dict.fromkeys(("torch", "ray", "mlxtend", "tensorboard", "psutil", "rich"), "train"),
}


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
  spiral train digits
  spiral paint runs/digits -o paintings
  spiral replay paintings/000.json -o painting.gif
  spiral evaluate runs/digits
  spiral list presets
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
    click.echo(f"wrote {output}")


@main.command(
    epilog="""\b
Examples:
  spiral train                                    handwritten digits, about ten minutes on two cores
  spiral train digits --out runs/mine --seed 7
  spiral train digits-hinge --env-steps 1000000 --set learner.entropy=0.05
  spiral train --data photos/ --set env.channels=3 --minutes 60
  spiral train --resume --out runs/mine --minutes 20
  spiral train --address auto --set num_env_runners=30"""
)
@click.argument("preset", required=False)
@click.option("--data", metavar="DATA", help="A dataset's name, a folder of pictures, or an .npz file.")
@click.option("--out", metavar="RUN", help="The run's folder.  [default: runs/PRESET]")
@click.option("--minutes", type=float, metavar="M", help="End after so much wall time.")
@click.option("--env-steps", type=int, metavar="N", help="End after so many actions, or --minutes if sooner.")
@click.option("--seed", type=int, metavar="S", help="Of everything drawn at random.")
@click.option("--resume", is_flag=True, help="Go on with the run in --out, to a larger budget if one is given.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any setting, as in RUN/config.json.")
@click.option("--address", metavar="RAY", help="A Ray cluster's address.  [default: Ray on this machine]")
def train(preset, data, out, minutes, env_steps, seed, resume, settings, address) -> None:
    """Train a painter by the settings of PRESET (default: digits; see: spiral list presets).

    The run's folder shows how it goes: sheet.png (fresh samples), metrics.jsonl and tensorboard/, checkpoints/. Ctrl-C
    once ends the run in good order.
    """
    from spiral.run_folder import run_from_options
    from spiral.train import train as run_training

    run, folder = run_from_options(preset, out, resume, data, minutes, env_steps, seed, settings)
    run_training(run, folder, resume=resume, address=address)


@main.command(
    epilog="""\b
Examples:
  spiral paint runs/digits                          16 paintings by the newest checkpoint
  spiral paint runs/digits -n 100 --seed 3 -o art/
  spiral replay art/000.json -o first.png --size 1024"""
)
@click.argument("painter")
@click.option("-n", "count", default=16, show_default=True, metavar="N", help="How many paintings, 1 to 10000.")
@click.option("--seed", default=0, show_default=True, metavar="S", help="The same seed gives the same paintings.")
@click.option("--greedy", is_flag=True, help="Always the most probable stroke instead of a sampled one.")
@click.option("-o", "--output", default="paintings", show_default=True, metavar="DIR", help="Where to write them.")
def paint(painter: str, count: int, seed: int, greedy: bool, output: str) -> None:
    """Paint with PAINTER: a run's folder, a checkpoint, or a painter file.

    Writes a stroke program for each painting (000.json, ...) and all of them on one sheet (sheet.png).
    """
    from spiral.paint import paint_to_folder

    click.echo(paint_to_folder(painter, output, count, seed, greedy))


@main.command(
    epilog="""\b
Examples:
  spiral evaluate runs/digits
  spiral evaluate runs/digits --json > score.json
  spiral evaluate runs/digits --data other_digits.npz"""
)
@click.argument("painter")
@click.option("--data", metavar="DATA", help="Pictures to compare with.  [default: the run's, held-out part]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def evaluate(painter: str, data: str | None, as_json: bool) -> None:
    """Measure PAINTER (a run's folder, a checkpoint, or a painter file) against held-out pictures."""
    from spiral.evaluate import evaluate_file, table

    measured = evaluate_file(painter, data)
    click.echo(json.dumps(measured, indent=2) if as_json else table(measured))


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
