"""Large pictures painted patch by patch, by a painter that is simple enough to know what it should do."""

import dataclasses

import numpy as np
import pytest
import torch

from spiral import Brush, Program, Stroke, replay
from spiral import paint as paint_module
from spiral.agents.painter import PainterOutput
from spiral.canvas import CanvasSpec
from spiral.commission import Commission, Options, canvas_of
from spiral.config import EnvConfig
from spiral.envs.actions import action_table
from spiral.metrics import squared_error
from spiral.program import matches_checksum
from spiral.target import Target
from spiral.tile_painting import LargeCanvas, paint_tiles
from spiral.tiles import tiled

GRID = 7
GREYS = tuple((level / 63,) * 3 for level in range(64))
GREY = EnvConfig(
    width=32, height=32, grid=GRID, episode_length=2 * GRID**2, sizes=(0.3,), pressures=(1.0,), palette=GREYS,
    noise_size=0, target=True,
)  # fmt: skip
COLOR = dataclasses.replace(GREY, channels=3, palette=None, color_levels=64, width=48, background=(0.0, 0.2, 0.4))


class LocalMean:
    """Moves to one cell of the grid after the other and puts a dot there of the colour that the target has around it.

    With a margin it leaves the outermost cells out: it does badly at the borders of its canvas.
    """

    def __init__(self, env, margin=0):
        self.table = action_table(env)
        self._cells = [(row, column) for row in range(margin, GRID - margin) for column in range(margin, GRID - margin)]
        self._step = 0

    def initial_state(self, count):
        self._step = 0
        return {}

    def constants(self, observation):
        return observation

    def __call__(self, observation, state, generator, greedy, constants):
        place, paints = divmod(self._step, 2)
        self._step += 1
        row, column = self._cells[min(place, len(self._cells) - 1)]
        target = constants["target"].numpy()
        y, x = (round(i * (side - 1) / (GRID - 1)) for i, side in zip((row, column), target.shape[1:3]))
        around = target[:, max(0, y - 2) : y + 3, max(0, x - 2) : x + 3].mean(axis=(1, 2))
        actions = np.zeros((len(target), len(self.table.parts)), np.int64)
        actions[:, :3] = paints, row * GRID + column, row * GRID + column
        actions[:, 5:] = np.rint(around / 255 * 63)
        logits = [torch.zeros(len(target), int(n)) for n in self.table.nvec]
        return PainterOutput(torch.as_tensor(actions), logits, torch.zeros(len(target)), {})

    def masks(self, actions):
        return torch.ones(actions.shape, dtype=torch.bool)


def gradient(height, width, channels):
    """From dark to light along the diagonal, every channel in its own way."""
    y, x = np.indices((height, width))
    slopes = [(y / height + x / width) / 2, y / height, x / width][:channels]
    return (30 + 200 * np.stack(slopes, axis=2)).astype(np.uint8)


def asked_for(env, pixels, tiles, **others):
    canvas = tiled(canvas_of(env), (pixels.shape[1], pixels.shape[0]), tiles, "a.png")
    assert (canvas.height, canvas.width) == pixels.shape[:2]
    return Commission(
        canvas, Target("a.png", canvas, pixels), **{"label": None, "picture": None, "program": None} | others
    )


GIVEN = Options(targets=["a.png"], seed=3)


@pytest.mark.parametrize("env", [GREY, COLOR], ids=["grey", "color"])
def test_a_gradient_has_no_seams(env):
    target = gradient(3 * env.height, 3 * env.width, env.channels)
    program, painting = paint_tiles(LocalMean(env, margin=1), env, asked_for(env, target, 3), GIVEN)
    off = np.square((painting.astype(float) - target) / 255).mean(axis=2)
    inside = off[8:-8, 8:-8]  # beyond its margin this painter leaves the edges of the canvas blank
    y, x = (np.arange(8, 3 * side - 8) for side in (env.height, env.width))
    near_x, near_y = (
        abs((place + side / 2) % side - side / 2) < 3 for place, side in ((x, env.width), (y, env.height))
    )
    seams = near_y[:, np.newaxis] | near_x
    assert inside.max() < 0.02
    assert inside[seams].mean() < 1.2 * inside[~seams].mean()
    assert (replay(program) == painting).all() and matches_checksum(program)
    assert program.seed == 3 and (program.canvas.width, program.canvas.height) == (3 * env.width, 3 * env.height)


@pytest.fixture(scope="module")
def quick():
    """An environment of few strokes."""
    return dataclasses.replace(GREY, episode_length=4)


class AnyStroke(LocalMean):
    """Strokes at random over the target."""

    def __call__(self, observation, state, generator, greedy, constants):
        output = super().__call__(observation, state, generator, greedy, constants)
        shape = output.actions.shape
        nvec = torch.as_tensor(self.table.nvec)
        return output._replace(actions=(torch.rand(shape, generator=generator) * nvec).long())


def test_patches_are_kept_only_where_they_lower_the_error_and_more_tries_lower_it_further(quick):
    asked = asked_for(quick, gradient(64, 80, 1), 2)
    blank = replay(Program(asked.canvas, ()))
    paintings = [
        paint_tiles(AnyStroke(quick), quick, asked, dataclasses.replace(GIVEN, best_of=tries))[1] for tries in (1, 20)
    ]
    errors = [squared_error(one[np.newaxis], asked.target.pixels[np.newaxis]) for one in (blank, *paintings)]
    assert errors[0] > errors[1] > errors[2]
    white = asked_for(quick, np.full((64, 80, 1), 255, np.uint8), 2)
    assert paint_tiles(AnyStroke(quick), quick, white, GIVEN)[0].strokes == ()


@pytest.mark.parametrize("scale", [1, 3, 4])
def test_of_several_tries_the_one_is_kept_that_leaves_the_least_error_of_the_whole(quick, scale):
    chance = np.random.default_rng(scale)
    asked = asked_for(quick, gradient(64, 80, 1), 2)
    large = LargeCanvas(asked, "cairo", scale)
    taken = 0
    for _ in range(40):
        tries = [
            [Stroke(*map(tuple, chance.random((3, 2))), Brush(chance.uniform(0.02, 0.3), 3 * (chance.random(),)))]
            for _ in range(4)
        ]
        errors = [
            squared_error(
                replay(Program(asked.canvas, [*large.strokes, *strokes]))[np.newaxis],
                asked.target.pixels[np.newaxis],
                scale,
            )
            for strokes in ([], *tries)
        ]
        before = list(large.strokes)
        large.take_best(tries)
        best = int(np.argmin(errors))
        assert large.strokes == before + ([] if best == 0 else tries[best - 1])
        taken += best > 0
    assert 3 < taken < 40


def test_greys_are_hatched_where_only_means_of_blocks_count(quick):
    """Black strokes on what is light grey everywhere do harm pixel by pixel, and good to the means."""
    black = dataclasses.replace(quick, sizes=(0.05,), palette=((0.0, 0.0, 0.0),))
    asked = asked_for(black, np.full((96, 96, 1), 190, np.uint8), 3)
    blocks, pixels = (
        paint_tiles(AnyStroke(black), black, asked, dataclasses.replace(GIVEN, best_of=5), scale=scale)[1]
        for scale in (16, 1)
    )
    assert (pixels == 255).all()
    assert blocks.mean() == pytest.approx(190, abs=8)


def test_seeds_and_numbers_give_other_paintings_and_the_same_ones_the_same(quick):
    asked = asked_for(quick, gradient(64, 64, 1), 2)

    def painted(number, seed=3):
        return paint_tiles(AnyStroke(quick), quick, asked, dataclasses.replace(GIVEN, seed=seed), number)[0]

    assert painted(0) == painted(0)
    assert len({painted(number, seed).strokes for number, seed in ((0, 3), (1, 3), (0, 4))}) == 3


@pytest.mark.parametrize("renderer", ["cairo", "cairo@2"])
def test_it_goes_on_from_a_program(quick, renderer):
    quick = dataclasses.replace(quick, renderer=renderer)
    half = Program(CanvasSpec(32, 32, 1), (Stroke((0, 0), (0.5, 0.5), (1, 1), Brush(0.5)),))
    asked = asked_for(quick, gradient(64, 64, 1), 2, program=half)
    program, painting = paint_tiles(LocalMean(quick), quick, asked, GIVEN)
    assert program.strokes[:1] == half.strokes and len(program.strokes) > 1
    assert (replay(program) == painting).all() and matches_checksum(program)


def test_it_paints_over_a_picture_which_is_not_in_the_program(quick):
    target = gradient(64, 64, 1)
    ground = target.copy()
    ground[:32, :32] = 255
    asked = asked_for(quick, target, 2)
    asked = asked._replace(picture=Target("b.png", asked.canvas, ground))
    program, painting = paint_tiles(LocalMean(quick), quick, asked, GIVEN)
    assert program.checksum is None and program.strokes
    assert all(stroke.end.x < 0.75 and stroke.end.y < 0.75 for stroke in program.strokes)
    assert (painting[40:, 40:] == target[40:, 40:]).all() and (painting[:32, :32] != 255).any()


class Reader(LocalMean):
    """Remembers what it sees."""

    def __init__(self, env):
        super().__init__(env)
        self.seen = []

    def __call__(self, observation, state, generator, greedy, constants):
        self.seen.append({name: values.numpy().copy() for name, values in (observation | constants).items()})
        return super().__call__(observation, state, generator, greedy, constants)


def test_a_label_reaches_the_painter(quick):
    env = dataclasses.replace(quick, classes=5)
    reader = Reader(env)
    paint_tiles(reader, env, asked_for(env, gradient(32, 32, 1), 1, label=4), GIVEN)
    assert [observation["label"].tolist() for observation in reader.seen] == [[4]] * 4


def test_each_patch_begins_on_what_the_large_canvas_shows_there(quick):
    target = gradient(32, 64, 1)
    reader = Reader(quick)
    paint_tiles(reader, quick, asked_for(quick, target, 1), GIVEN)
    sides, middle = reader.seen[::4]  # those that do not overlap are painted side by side
    (left, right), (between,) = sides["target"], middle["target"]
    for patch, place in ((left, 0), (right, 32), (between, 16)):
        assert (patch == target[:, place : place + 32]).all()
    assert (sides["canvas"] == 255).all()
    # The right patch has dots in its upper left corner, which is in the middle of this one.
    assert (middle["canvas"][0, :5, 16:24] != 255).all() and (middle["canvas"][0, 20:] == 255).all()


def test_of_long_paintings_fewer_are_painted_side_by_side(quick, monkeypatch):
    reader = Reader(quick)
    monkeypatch.setattr(paint_module, "STEP_BYTES", 3 * 4 * 32 * 32)  # room for three
    paint_tiles(reader, quick, asked_for(quick, gradient(64, 64, 1), 2), GIVEN)
    assert [len(seen["canvas"]) for seen in reader.seen[::4]] == [3, 2, 1, 2, 1]


def test_patches_are_watched(quick):
    counts = []

    def watch(items, count):
        counts.append(count)
        yield from items

    paint_tiles(LocalMean(quick), quick, asked_for(quick, gradient(64, 64, 1), 2), GIVEN, watch=watch)
    assert counts == [4]  # the grid and those half-way along x, y and both
