"""What someone asks a painter for: options as given, and from them what each painting is to be."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from spiral import checks
from spiral.canvas import CanvasSpec
from spiral.config import EnvConfig
from spiral.datasets import INVERT
from spiral.errors import InputError
from spiral.program import MAX_STROKES, Program, canvas_at
from spiral.registry import unknown
from spiral.target import FITS, Target, read_target
from spiral.tiles import MOST_TILES, patches

MOST_PAINTINGS = 10_000
MOST_TRIES = 100  # they are painted side by side
OF_NOTHING = 16  # paintings, where no target is given


@dataclass(frozen=True)
class Options:
    """Options of ``spiral paint``.

    Attributes:
        targets: image files to paint; each may have ``:invert`` behind it.
        labels: classes to paint; with several targets one for all, or one for each.
        program: the file of a program to go on from.
        canvas: the image file of a picture to paint on.
        count: paintings of each target or label; None: 1 of a target, otherwise 16.
        best_of: of so many paintings, ``tries``, the one nearest to the target is kept.
        tiles: a target is painted by patches, so many along one side; None: as a whole.
        fit: how pictures come to the canvas, one of ``spiral.target.FITS``.
        greedy: always the most probable part of an action, or never; None: where one painting of a target is asked for,
            or of several tries the first.
        seed: the same seed gives the same paintings.

    Raises:
        InputError: a number is out of range, or options do not go together.
    """

    targets: Sequence[str] = ()
    labels: Sequence[int] = ()
    program: str | None = None
    canvas: str | None = None
    count: int | None = None
    best_of: int = 1
    tiles: int | None = None
    fit: str = "pad"
    greedy: bool | None = None
    seed: int = 0

    def __post_init__(self):
        if self.count is None:
            object.__setattr__(self, "count", 1 if self.targets else OF_NOTHING)
        self._check()

    def _check(self) -> None:
        checks.integer(self.count, "-n", 1, MOST_PAINTINGS)
        checks.integer(self.best_of, "--best-of", 1, MOST_TRIES)
        checks.integer(self.seed, "--seed", 0, 2**32 - 1)
        if self.fit not in FITS:
            raise InputError(unknown("fit", self.fit, list(FITS)))
        if self.tiles is not None:
            checks.integer(self.tiles, "--tiles", 1, MOST_TILES)
        for option, given in (("--tiles", self.tiles is not None), ("--best-of", self.best_of > 1)):
            if given and not self.targets:
                raise InputError(f"{option} is for painting a given picture: give one by --target")
        if self.fit != "pad" and not self.targets and self.canvas is None:
            raise InputError("--fit is for a given picture: give one by --target or --canvas")
        tasks = {len(self.targets), len(self.labels)} - {0, 1} or {1}
        if len(tasks) > 1:
            raise InputError(
                f"got {len(self.targets)} targets and {len(self.labels)} labels; give one --label for all, or one for "
                "each --target"
            )
        paintings = max(tasks) * self.count * self.best_of
        if paintings > MOST_PAINTINGS:
            raise InputError(
                f"these are {paintings:,} paintings, and at most {MOST_PAINTINGS:,} are accepted; give a smaller -n or "
                "--best-of, or fewer targets or labels"
            )

    @property
    def tries(self) -> list[bool]:
        """Whether each try of a painting is greedy: ``best_of`` of them."""
        if self.greedy is not None:
            return self.best_of * [self.greedy]
        return [bool(self.targets) and self.count == 1, *(self.best_of - 1) * [False]]

    def greedy_of(self, paintings: int) -> bool | list[bool]:
        """Whether each try of each of so many paintings is greedy; one value where all are alike, which is quicker."""
        tries = self.tries
        return tries[0] if len(set(tries)) == 1 else paintings * tries

    @property
    def files(self) -> list[str]:
        """The files that are read."""
        pictures = [picture.removesuffix(INVERT) for picture in (*self.targets, self.canvas) if picture is not None]
        return pictures if self.program is None else [*pictures, self.program]


class Commission(NamedTuple):
    """What one painting is to be: of which target or label, and over which picture or program."""

    canvas: CanvasSpec
    target: Target | None
    label: int | None
    picture: Target | None
    program: Program | None

    @property
    def words(self) -> list[str]:
        """What the header of its program should say of it."""
        words = []
        if self.picture is not None:
            words.append(f"painted over {self.picture.name}, which is not in this program")
        if self.program is not None:
            words.append(f"strokes given at the start: {len(self.program.strokes)}")
        if self.label is not None:
            words.append(f"label {self.label}")
        if self.target is not None:
            words.append(f"target {self.target.name}")
        return words


def commissions(options: Options, env: EnvConfig, name: str) -> list[Commission]:
    """One for each painting that is asked for, all files read.

    Args:
        options: what is asked for.
        env: of the painter that is asked.
        name: to call it in messages.

    Raises:
        InputError: it is not what this painter was trained for, or a file cannot be used; the message names it.
    """
    _check_painter(options, env, name)
    own = canvas_of(env)
    targets = [read_target(path, own, options.fit, options.tiles) for path in options.targets] or [None]
    program = None if options.program is None else Program.load(options.program)
    pictures = {}
    for canvas in dict.fromkeys(target.canvas if target else own for target in targets):
        if program is not None:
            _check_program(program, options.program, canvas)
        if options.tiles is not None:
            _check_strokes(len(patches(own, canvas)) * env.episode_length, options.tiles)
        pictures[canvas] = None if options.canvas is None else read_target(options.canvas, canvas, options.fit)
    return [
        Commission(canvas, target, label, pictures[canvas], program)
        for target, label in _tasks(targets, options, env.classes)
        for canvas in [target.canvas if target else own]
    ]


def _tasks(
    targets: Sequence[Target | None], options: Options, classes: int
) -> Iterator[tuple[Target | None, int | None]]:
    """Target and label of each painting; without labels, all classes in turn."""
    if classes and not options.labels:
        return zip(itertools.repeat(None), (number % classes for number in range(options.count)))
    labels = options.labels or [None]
    pairs = zip(range(max(len(targets), len(labels))), itertools.cycle(targets), itertools.cycle(labels))
    return ((target, label) for _, target, label in pairs for _ in range(options.count))


def canvas_of(env: EnvConfig) -> CanvasSpec:
    """A painter's canvas."""
    return CanvasSpec(env.width, env.height, env.channels, env.background)


def reset_options(asked: Sequence[Commission]) -> dict[str, list]:
    """The options of ``PaintVectorEnv.reset``, one value for each of the paintings."""
    given = {
        "target": [each.target and each.target.pixels for each in asked],
        "label": [each.label for each in asked],
        "canvas": [each.picture and each.picture.pixels for each in asked],
        "program": [each.program for each in asked],
    }
    return {name: values for name, values in given.items() if values[0] is not None}


def _check_painter(options: Options, env: EnvConfig, name: str) -> None:
    if options.targets and not env.target:
        raise InputError(
            f"{name} does not paint given pictures: leave --target out, or take a painter that does, such as "
            "digits-target; your own: spiral train digits-target --data DATA"
        )
    if env.target and not options.targets:
        raise InputError(f"{name} paints given pictures: give one by --target, an image file")
    if options.labels and not env.classes:
        raise InputError(
            f"{name} does not paint by labels: leave --label out, or take a painter that does, such as digits-labels; "
            "your own: spiral train digits-labels --data DATA"
        )
    for label in options.labels:
        checks.integer(label, "--label", 0, env.classes - 1)
    if env.target and env.classes and not options.labels:
        raise InputError(f"{name} paints given pictures by their classes: give --label, 0 to {env.classes - 1}, too")
    alike = options.count * options.best_of
    if options.greedy and not env.noise_size and (options.targets or options.labels) and alike > 1:
        raise InputError(
            f"{name} sees no noise, so that its {alike} greedy paintings would be all alike; leave --greedy out, or ask "
            "for only one"
        )


def _check_program(program: Program, path: str, canvas: CanvasSpec) -> None:
    """Strokes are in fractions of the canvas, so that its pixels may differ, but nothing else."""
    own = canvas_at(program.canvas, max(canvas.width, canvas.height))
    alike = max(abs(own.width - canvas.width), abs(own.height - canvas.height)) <= 1
    if not alike or (own.channels, own.background) != (canvas.channels, canvas.background):
        raise InputError(
            f"{path} cannot be gone on from: its canvas has {_shown(program.canvas)}; here it has {_shown(canvas)}, and "
            "only the number of pixels may differ, not the shape"
        )


def _check_strokes(strokes: int, tiles: int) -> None:
    if strokes > MAX_STROKES:
        raise InputError(
            f"--tiles {tiles} is up to {strokes:,} strokes, a program has at most {MAX_STROKES:,}; give fewer tiles"
        )


def _shown(canvas: CanvasSpec) -> str:
    channels = "grey" if canvas.channels == 1 else "RGB"
    return f"{canvas.width} x {canvas.height} pixels, {channels}, on {list(canvas.background)}"
