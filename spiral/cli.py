"""The command line. Each command parses, calls one function and prints; what it needs is imported inside it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable

import click

from spiral import __version__
from spiral.errors import InputError, SpiralError
from spiral.registry import Registry

# What comes with an extra of this package, by the name that is imported.
EXTRAS = {
    "shapely": "plot",
    "serial": "plot",
    "rich": "plot",
    "av": "video",
    "gymnasium": "env",
    "pygame": "human",
    **dict.fromkeys(("torch", "ray", "matplotlib", "mlxtend", "tensorboard", "psutil"), "train"),
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
  spiral paint digits-plotter -o paintings
  spiral replay paintings/000.json -o painting.html
  spiral export paintings/000.json -o painting.gcode --machine grbl-servo
  spiral plot painting.gcode --port /dev/ttyUSB0
  spiral convert drawings.ndjson -o drawings
  spiral evaluate runs/digits
  spiral bench render
  spiral list presets""",
)
@click.version_option(__version__, prog_name="spiral")
def main() -> None:
    """An agent that learns to paint with brush strokes, and the stroke programs it leaves behind."""


@main.command(
    epilog="""\b
Examples:
  spiral replay painting.json -o painting.png                 the finished painting
  spiral replay painting.json -o painting.svg                 as curves, sharp at any size
  spiral replay painting.json -o painting.html                stroke by stroke, to look at in a browser
  spiral replay painting.json -o painting.gif --size 256      as a film, its colours reduced to 256
  spiral replay painting.json -o painting.apng --seconds 5    as a film, every pixel as it is
  spiral replay painting.json -o painting.mp4 --size 1080 --fps 30"""
)
@click.argument("program", type=click.Path())
@click.option("-o", "--output", required=True, metavar="FILE", help="A .png, .svg, .html, .gif, .apng or .mp4.")
@click.option("--size", type=int, metavar="PX", help="Pixels of the longer side, 16 to 8192.  [default: 512]")
@click.option("--renderer", metavar="NAME", help="Another than painted it; cairo@4 draws 4 times larger.")
@click.option("--seconds", type=float, metavar="S", help="How long painting takes.  [default: 3 to 20, by the strokes]")
@click.option("--fps", type=int, metavar="N", help="Frames a second of a film.  [default: 20]")
@click.option("--drawing", type=int, metavar="N", help="Which drawing of a file of many, from 0.  [default: the first]")
def replay(program, output, size, renderer, seconds, fps, drawing) -> None:
    """Draw PROGRAM again, at any size, finished or stroke by stroke.

    PROGRAM is a stroke program, or a drawing in any format of: spiral list formats.
    """
    from spiral.files import refuse_to_overwrite
    from spiral.interchange import load_drawing
    from spiral.program import matches_checksum
    from spiral.progress import bar
    from spiral.replay_file import writer_for

    write = writer_for(output, size=size, renderer=renderer, seconds=seconds, fps=fps)
    refuse_to_overwrite([program], [output])
    loaded, losses = load_drawing(program, drawing)
    _echo_notes(losses.sentences())
    write(loaded, bar)
    if loaded.checksum is not None and not matches_checksum(loaded):
        click.echo("Warning: the pixels differ from when this was painted (another drawing library?)", err=True)
    click.echo(f"wrote {output}")


@main.command(
    epilog="""\b
Examples:
  spiral export painting.json -o painting.svg                       for plotter software, on A4
  spiral export painting.json -o painting.gcode --machine grbl-servo
  spiral export painting.json -o dry.html -o dry.png --machine grbl-servo
  spiral export painting.json -o out.gcode --machine grbl-servo --pens black:0.5,red:0.5 --report
  spiral export painting.json -o out.gcode --machine grbl-brush --width z --order safe
  spiral export painting.json -o out.svg --page 200x150 --margin 10 --width passes --pens black:0.8
  spiral export painting.json -o rest.gcode --machine grbl-servo --from 2
  spiral export paintings/000.json paintings/001.json -o sheet.svg --machine axidraw-v3
  spiral list machines"""
)
@click.argument("programs", type=click.Path(), nargs=-1, required=True, metavar="PROGRAM...")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    required=True,
    metavar="FILE",
    help="Where to write; the suffix says the format: .svg, .gcode, .hpgl, .script (URScript), .csv or .json "
    "(way-points), .png or .html (a dry run to look at). May be given several times.",
)
@click.option(
    "--machine",
    metavar="NAME|FILE",
    help="See: spiral list machines; or a .toml file of your own.  [default for pictures and way-points: sheet]",
)
@click.option("--page", metavar="PAGE", help="A0 to A6, letter, legal, tabloid, or WIDTHxHEIGHT in mm.")
@click.option("--landscape/--portrait", default=None, help="How a named page lies.")
@click.option("--margin", type=float, metavar="MM", help="Between the picture and the page's edges.")
@click.option("--size", type=float, metavar="MM", help="The picture's longer side.  [default: as large as fits]")
@click.option(
    "--pens",
    metavar="PEN,...",
    help="Those you have: colours with the widths of their lines in mm, like black:0.5,red:0.5. One without a width draws as wide as each stroke.  [default: the machine's]",
)
@click.option(
    "--width",
    default="line",
    show_default=True,
    metavar="HOW",
    help="A wide stroke is drawn once along its middle (line), with the pen pressed as wide (z), or filled (passes).",
)
@click.option(
    "--order",
    default="program",
    show_default=True,
    metavar="ORDER",
    help="As painted (program); with less travel but the same picture (safe); pen by pen (colour).",
)
@click.option("--tolerance", type=float, default=0.05, show_default=True, metavar="MM", help="Of lines for curves.")
@click.option("--clip", is_flag=True, help="Cut strokes whose middle line leaves the canvas at its edge.")
@click.option("--from", "first", type=int, default=1, metavar="K", help="Draw from stroke K on, to resume.")
@click.option("--to", "last", type=int, metavar="K", help="Draw up to stroke K.")
@click.option("--drawing", type=int, metavar="N", help="Which drawing of a file of many, from 0.  [default: the first]")
@click.option("--report", is_flag=True, help="Print all figures, in the order as painted and as planned.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON, with the order of the strokes.")
def export(programs, outputs, machine, pens, drawing, report, as_json, **options) -> None:
    """Write PROGRAM for a plotter or robot arm.

    It is written in millimetres on a page, several on one page row by row. PROGRAM is a stroke program, or a drawing in
    any format of: spiral list formats. Every move is checked against the machine's work area before anything is
    written.
    """
    from spiral.export import export_files, summary, table, to_dict
    from spiral.plotter.pens import pens_given
    from spiral.plotter.plan import Options

    chosen = Options(pens=None if pens is None else pens_given(pens), **options)
    planned = export_files(programs, outputs, machine, chosen, drawing)
    if as_json:
        click.echo(json.dumps(to_dict(planned), indent=2))
        return
    _echo_notes(planned.notes)
    click.echo(table(planned) if report else summary(planned))
    click.echo(f"wrote {', '.join(dict.fromkeys(outputs))}")


@main.command(
    epilog="""\b
Examples:
  spiral plot painting.gcode --port /dev/ttyUSB0
  spiral plot painting.gcode --port /dev/ttyUSB0 --check      how file and plotter are; nothing moves
  spiral plot painting.gcode --port /dev/ttyUSB0 --from 12    go on where it stopped

\b
Before it begins, put the pen where the file has its zero, and switch the plotter on; or home it.
To send the plotter a setting such as $1=255: python -m serial.tools.miniterm /dev/ttyUSB0 115200"""
)
@click.argument("file", type=click.Path())
@click.option("--port", metavar="PORT", help="Where the plotter is plugged in; without it, the ports found are listed.")
@click.option("--baud", default=115200, show_default=True, metavar="N", help="Speed of the port.")
@click.option("--from", "first", type=int, metavar="K", help="Begin with stroke K, to resume.")
@click.option("--check", is_flag=True, help="Read FILE and ask the plotter how it is; nothing moves.")
def plot(file: str, port: str | None, baud: int, first: int | None, check: bool) -> None:
    """Draw FILE, G-code, on a plotter with GRBL 1.1.

    FILE is one written by spiral export. Ctrl-C holds the plotter; then Enter goes on, and Ctrl-C again raises the pen,
    parks it, and says how to resume. Where the pens change, it waits for you.
    """
    from spiral.plot import plot as plot_file

    plot_file(file, port, baud, first, check)


@main.command(
    epilog="""\b
Examples:
  spiral convert cat.ndjson -o cats                         stroke programs, and a sheet of them
  spiral convert cat.ndjson --drawing 3 -o cat.json
  spiral convert paintings/000.json paintings/001.json -o paintings.ndjson
  spiral convert cat.ndjson -n 5000 -o cats.npz
  spiral convert painting.svg -o painting.json
  spiral convert painting.json --strokes 3 -o half.json     to go on from there: spiral paint PAINTER --program half.json
  spiral list formats"""
)
@click.argument("inputs", nargs=-1, required=True, metavar="FILE...", type=click.Path())
@click.option("-o", "--output", required=True, metavar="FILE|DIR", help="Where to write; a suffix says the format.")
@click.option("--drawing", "number", type=int, metavar="N", help="Only drawing N of FILE, from 0.")
@click.option("-n", "count", default=1000, show_default=True, metavar="N", help="How many at most, 1 to 10000.")
@click.option("--strokes", type=int, metavar="N", help="Only the first N strokes of each.")
@click.option(
    "--pen-width",
    default=1 / 32,
    show_default=True,
    metavar="W",
    help="As a fraction of the canvas's side, where a format has no widths.",
)
def convert(
    inputs: tuple[str, ...], output: str, number: int | None, count: int, strokes: int | None, pen_width: float
) -> None:
    """Read drawings and write them in another format.

    The formats: spiral list formats. Without a suffix, the output is a folder of stroke programs (000.json, ...) with a
    sheet of them (sheet.png). What the other format cannot hold is lost, and each such loss is told.
    """
    from spiral.interchange.convert import convert as convert_files

    conversion = convert_files(inputs, output, number, count, pen_width, strokes)
    _echo_notes(conversion.notes)
    click.echo(conversion.written)


@main.command(
    epilog="""\b
Examples:
  spiral train                                    handwritten digits, about ten minutes on two cores
  spiral train digits --out runs/mine --seed 7
  spiral train digits-wasserstein --env-steps 1000000 --set learner.entropy=0.05
  spiral train --data photos/ --set env.channels=3 --minutes 60
  spiral train --resume --out runs/mine --minutes 20
  spiral train --address auto --set num_env_runners=30"""
)
@click.argument("preset", required=False)
@click.option("--data", metavar="DATA", help="A dataset; see: spiral list datasets.")
@click.option("--out", metavar="RUN", help="The run's folder.  [default: runs/PRESET]")
@click.option("--minutes", type=float, metavar="M", help="End after so much wall time.")
@click.option("--env-steps", type=int, metavar="N", help="End after so many actions.")
@click.option("--cpu-seconds", type=float, metavar="S", help="End after so many CPU seconds of all its processes.")
@click.option("--seed", type=int, metavar="S", help="Of everything drawn at random.")
@click.option("--resume", is_flag=True, help="Go on with the run in --out, to a larger budget if one is given.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any setting, as in RUN/config.json.")
@click.option("--address", metavar="RAY", help="A Ray cluster's address.  [default: Ray on this machine]")
def train(preset, data, out, minutes, env_steps, cpu_seconds, seed, resume, settings, address) -> None:
    """Train a painter by the settings of PRESET.

    The presets: spiral list presets; without one it is digits. The run's folder shows how it goes: sheet.png (fresh
    samples), metrics.jsonl and tensorboard/, checkpoints/. Ctrl-C once ends the run in good order. Of several limits
    the first that is reached ends it.
    """
    from spiral.run_folder import run_from_options
    from spiral.train import train as run_training

    run, folder = run_from_options(preset, out, resume, data, minutes, env_steps, cpu_seconds, seed, settings)
    run_training(run, folder, resume=resume, address=address)


@main.command(
    epilog="""\b
Examples:
  spiral tune                                     four painters of digits, ten minutes each
  spiral tune digits-target --population 8 --cpu-seconds 300 --generations 12
  spiral tune digits --learning-rate 1e-5 3e-4 --entropy 2e-3 1e-1      the ranges of SPIRAL++
  spiral tune --resume --out runs/digits-population
  spiral tune digits --address auto --population 12 --set num_env_runners=16 --out /shared/digits
  spiral paint runs/digits-population/best
  spiral publish runs/digits-population/best -o best.npz"""
)
@click.argument("preset", required=False)
@click.option("--population", "members", type=int, metavar="N", help="How many members, 2 to 1000.  [default: 4]")
@click.option(
    "--generations",
    type=int,
    metavar="G",
    help="Into how many parts a member's budget is cut: they are compared after each.  [default: 10]",
)
@click.option(
    "--learning-rate",
    type=(float, float),
    metavar="LOW HIGH",
    help="Where to look for it.  [default: a fifth of the preset's to five times as much]",
)
@click.option("--entropy", type=(float, float), metavar="LOW HIGH", help="The same of the entropy cost.")
@click.option("--shared-discriminator", is_flag=True, help="One for all members, as in SPIRAL++.")
@click.option("--data", metavar="DATA", help="A dataset; see: spiral list datasets.")
@click.option("--out", metavar="DIR", help="The population's folder.  [default: runs/PRESET-population]")
@click.option("--minutes", type=float, metavar="M", help="Each member trains for so much wall time.")
@click.option("--env-steps", type=int, metavar="N", help="Each member trains for so many actions.")
@click.option("--cpu-seconds", type=float, metavar="S", help="Each member's process trains for so many CPU seconds.")
@click.option("--seed", type=int, metavar="S", help="Of everything drawn at random.")
@click.option("--resume", is_flag=True, help="Go on with the population in --out, from its last whole generation.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any setting of the members.")
@click.option("--address", metavar="RAY", help="A Ray cluster's address.  [default: Ray on this machine]")
def tune(preset, out, resume, settings, address, **options) -> None:
    """Train a population of painters by PRESET.

    It looks for its own learning rate and entropy cost. Without a PRESET it is digits. Population-based training, by
    Ray Tune: after each generation, the worst quarter of the members go on from the best ones, with their settings
    changed a little or drawn anew. Compared are Fréchet ratios, or squared errors of painters of given pictures: no
    discriminator's scores, of which each member has its own unless they share one.

    Members take turns on the processors there are; without --address each is one process. The folder has the best one's
    run (best/), which led to it and how (history.png, history.jsonl), and all members' runs (members/). On a cluster
    all machines must have the folder at the same path. Ctrl-C ends it; --resume begins the generation again that was
    not finished. What is read then cannot run code: Ray Tune's own notes, which could, are thrown away.
    """
    from spiral.population import population_from_options
    from spiral.tune import tune as run_tuning

    population, folder = population_from_options(preset, out, resume, settings, address, **options)
    run_tuning(population, folder, resume=resume, address=address)


@main.command(
    epilog="""\b
Examples:
  spiral paint digits                               16 paintings by a painter that is here: spiral list painters
  spiral paint runs/digits -n 100 --seed 3 -o art   100 by a run's newest checkpoint
  spiral paint digits --program half.json -o whole  go on from there

\b
A painter that was trained with env.target=true paints what it is given; one of digits is here:
  spiral paint digits-target --target five.png
  spiral paint digits-target --target five.png --target other.png --fit crop
  spiral paint digits-target --target blackboard.jpg:invert --best-of 50
  spiral paint digits-target --target page.jpg --tiles 3
  spiral paint photos-plotter --target portrait.jpg --tiles 14      a photograph for one pen
  spiral paint runs/faces --target photo.jpg --canvas sand.png

\b
One that was trained with env.classes=10, by spiral train digits-labels say, paints these:
  spiral paint runs/digits-labels --label 7
  spiral paint runs/digits-labels --label 4 --label 2 -n 1"""
)
@click.argument("painter")
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="IMAGE",
    help="Paint this picture. May be given several times; with :invert behind it, dark and light are swapped.",
)
@click.option(
    "--label", "labels", type=int, multiple=True, metavar="L", help="Paint this class. May be given several times."
)
@click.option("--program", metavar="FILE", help="Go on from this stroke program.")
@click.option("--canvas", metavar="IMAGE", help="Paint over this picture, which the programs do not hold.")
@click.option(
    "-n",
    "count",
    type=int,
    metavar="N",
    help="How many paintings, of each --target or --label.  [default: 1 of a target, otherwise 16]",
)
@click.option(
    "--fit",
    default="pad",
    show_default=True,
    metavar="HOW",
    help="Pictures of another shape than the canvas are shown whole (pad), or cropped around their centre (crop).",
)
@click.option(
    "--tiles",
    type=int,
    metavar="N",
    help="Paint a target in patches, N along its shorter side, on a canvas of its own shape.",
)
@click.option(
    "--best-of",
    default=1,
    show_default=True,
    metavar="N",
    help="Paint a target, or each of its tiles, N times and keep the nearest.",
)
@click.option(
    "--greedy/--sample",
    default=None,
    help="Always the most probable stroke, or a random one by its probability.  [default: greedy for one painting of a target]",
)
@click.option("--seed", default=0, show_default=True, metavar="S", help="The same seed gives the same paintings.")
@click.option("-o", "--output", default="paintings", show_default=True, metavar="DIR", help="Where to write them.")
@click.option("--json", "as_json", is_flag=True, help="Print files, labels, targets and errors as JSON.")
def paint(painter: str, output: str, as_json: bool, **options) -> None:
    """Paint with PAINTER, trained or one that comes with the package.

    PAINTER is a run's folder, a checkpoint, a painter file, or a name: spiral list painters. Writes a stroke program
    for each painting (000.json, ...) and all of them on one sheet (sheet.png). Paintings of a --target are written as
    pictures, too (000.png, ...); the sheet has each beside its target, and the mean squared error between them is told
    (values in 0..1). Without --label, a painter of classes paints them in turn.
    """
    from spiral.commission import Options
    from spiral.paint_folder import paint_to_folder
    from spiral.progress import bar

    painted = paint_to_folder(painter, output, Options(**options), bar)
    click.echo(json.dumps(painted.figures, indent=2) if as_json else painted.text)


@main.command(
    epilog="""\b
Examples:
  spiral evaluate runs/digits
  spiral evaluate runs/digits --json > score.json
  spiral evaluate runs/digits --data other_digits.npz
  spiral evaluate runs/sevens --greedy                                  a painter of labels, at its surest
  spiral evaluate runs/copy --search 100 --search 1000 --samples 100    a painter of given pictures"""
)
@click.argument("painter")
@click.option("--data", metavar="DATA", help="Pictures to compare with.  [default: the run's, held-out part]")
@click.option("--samples", type=int, metavar="N", help="How many of them, 10 to 100000.  [default: the run's]")
@click.option(
    "--search",
    "searches",
    type=int,
    multiple=True,
    metavar="K",
    help="Beside a painter of given pictures, measure greedy search that tries K random actions for each one it takes.",
)
@click.option("--greedy", is_flag=True, help="Always the most probable stroke.  [default: only for given pictures]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def evaluate(
    painter: str, data: str | None, samples: int | None, searches: tuple[int, ...], greedy: bool, as_json: bool
) -> None:
    """Measure PAINTER against held-out pictures.

    PAINTER is as for spiral paint. One that paints given pictures is also measured beside the random painter: by
    squared error, in JSON after each action too, and by the CPU seconds that a painting takes.
    """
    from spiral.evaluate import evaluate_file, table
    from spiral.progress import bar

    measured = evaluate_file(painter, data, searches, samples, greedy, bar)
    click.echo(json.dumps(measured, indent=2) if as_json else table(measured))


@main.command(
    epilog="""\b
Examples:
  spiral publish runs/digits -o digits.npz
  spiral paint digits.npz"""
)
@click.argument("painter")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write; .npz.")
def publish(painter: str, output: str) -> None:
    """Write PAINTER as one small file to give away.

    It has the weights and settings, and no code. PAINTER is as for spiral paint.
    """
    from spiral.agents.painter_file import publish as publish_painter

    click.echo(publish_painter(painter, output))


@main.command(
    epilog="""\b
Examples:
  spiral bench                            everything; half an hour
  spiral bench render env                 two parts; two minutes
  spiral bench train --json speed.json    training beside a bare loop and stock RLlib, every round in a file
  spiral bench learner --set learner.minibatch=128
  spiral bench --quick                    only to see that it works"""
)
@click.argument("parts", nargs=-1, metavar="[PART...]")
@click.option("--preset", default="digits", show_default=True, metavar="NAME", help="What is trained and painted.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Change a setting of it.")
@click.option("--rounds", type=int, metavar="N", help="Rounds, in each of which all variants take turns.  [default: 5]")
@click.option("--seconds", type=float, metavar="S", help="Of a measurement in one process.  [default: 0.5]")
@click.option(
    "--steps", type=int, metavar="N", help="Environment steps of a measurement of training.  [default: 60000]"
)
@click.option("--json", "output", metavar="FILE", help="Write every round, the machine and all versions to FILE.")
@click.option("--quick", is_flag=True, help="Only the smallest cases, and those too short to mean anything.")
def bench(parts, preset, assignments, output, **measuring) -> None:
    """Measure how fast this machine paints and trains.

    PARTS: render, env, rollout, learner, discriminator, train, scale; all of them where none is given. Each is measured
    beside the least it could cost. Compared are CPU seconds of all processes of the work, in interleaved rounds: other
    work on the machine then hardly matters.
    """
    from spiral.bench.suite import bench as run_suite
    from spiral.bench.suite import options

    run_suite(parts, options(preset, assignments, **measuring), output)


def _echo_notes(notes: Iterable[str]) -> None:
    for note in notes:
        click.echo(f"Note: {note}", err=True)


def _presets() -> dict[str, str]:
    from spiral import config

    return {name: config.preset_description(name) for name in config.preset_names()}


def _datasets() -> dict[str, str]:
    from spiral.datasets import descriptions

    return descriptions()


def _renderers() -> dict[str, str]:
    from spiral.renderers import RENDERERS

    return _described(RENDERERS)


def _objectives() -> dict[str, str]:
    from spiral.agents.objectives import OBJECTIVES

    return _described(OBJECTIVES)


def _described(registry: Registry) -> dict[str, str]:
    """Every name with the first line of its entry's docstring."""
    return {name: inspect.getdoc(registry.get(name)).partition("\n")[0] for name in registry.names()}


def _formats() -> dict[str, str]:
    from spiral.interchange import FORMATS

    return _described(FORMATS)


def _machines() -> dict[str, str]:
    from spiral.plotter.machine import load_machine, machine_names

    return {name: load_machine(name).description for name in machine_names()}


def _painters() -> dict[str, str]:
    from spiral import config
    from spiral.painters import painter_names

    return {name: config.preset_description(name) for name in painter_names()}


KINDS = {
    "presets": _presets,
    "painters": _painters,
    "datasets": _datasets,
    "renderers": _renderers,
    "objectives": _objectives,
    "machines": _machines,
    "formats": _formats,
}


@main.command(
    "list",
    epilog="""\b
Examples:
  spiral list
  spiral list presets
  spiral list machines
  spiral list machines grbl-servo > mine.toml    a file of your own to change, for --machine mine.toml""",
)
@click.argument("kind", type=click.Choice(list(KINDS)), required=False)
@click.argument("name", required=False)
def list_(kind: str | None, name: str | None) -> None:
    """List what can be chosen by name; without a KIND, the kinds. With a NAME, the file of that preset or machine."""
    if kind is None:
        click.echo("\n".join(KINDS))
    elif name is not None:
        click.echo(_file_of(kind, name), nl=False)
    else:
        choices = KINDS[kind]()
        width = max(map(len, choices), default=0)
        for choice, description in choices.items():
            click.echo(f"{choice:{width}}  {description}")


def _file_of(kind: str, name: str) -> str:
    if kind == "presets":
        from spiral.config import preset_text

        return preset_text(name)
    if kind == "machines":
        from spiral.plotter.machine import machine_text

        return machine_text(name)
    raise InputError(f"only presets and machines have a file to show, got {kind}; leave {name!r} out")
