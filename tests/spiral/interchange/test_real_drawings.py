"""Drawings that people made, as their publishers' files have them, against the bitmaps of the same drawings."""

import dataclasses
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from spiral import Point, replay
from spiral.interchange import load_drawing, load_drawings, save_programs

DATA = Path(__file__).parents[4] / "shared" / "data"
COUNT = 50


def arrays(name):
    if not (DATA / name).exists():
        pytest.skip(f"there is no {DATA / name}")
    return np.load(DATA / name)


def strokes_of(data, number, name="xy"):
    starts = data["stroke_start"]
    first, last = data["drawing_start"][[number, number + 1]]
    return [data[name][starts[i] : starts[i + 1]] for i in range(first, last)]


def overlap(program, picture, **options):
    """Ink that both have, as a share of the ink that either has; the picture has white ink."""
    ours, theirs = 255 - replay(program, **options)[..., 0].astype(int), picture.astype(int)
    return np.minimum(ours, theirs).sum() / np.maximum(ours, theirs).sum()


@pytest.fixture(scope="module")
def quickdraw(tmp_path_factory):
    data = {name: array for name, array in arrays("quickdraw.npz").items()}
    chosen = np.linspace(0, len(data["label"]) - 1, COUNT).astype(int)
    path = tmp_path_factory.mktemp("quickdraw") / "drawings.ndjson"
    lines = [
        json.dumps(
            {
                "word": str(data["categories"][data["label"][number]]),
                "recognized": bool(data["recognized"][number]),
                "key_id": str(data["key_id"][number]),
                "drawing": [stroke.T.tolist() for stroke in strokes_of(data, number)],
            },
            separators=(",", ":"),
        )
        for number in chosen
    ]
    path.write_text("\n".join(lines) + "\n")
    return path, data["images"][chosen]


def test_quickdraw_lines_come_back_byte_for_byte_unless_that_is_said(quickdraw, tmp_path):
    path, _ = quickdraw
    drawings = list(load_drawings(path))
    assert save_programs([drawing.program for drawing in drawings], tmp_path / "out.ndjson") == {}
    lines, back = path.read_bytes().splitlines(), (tmp_path / "out.ndjson").read_bytes().splitlines()
    same = [line == line_back for line, line_back in zip(lines, back, strict=True)]
    assert same == [not drawing.losses for drawing in drawings] and sum(same) > 0.8 * COUNT


@pytest.mark.parametrize("suffix", [".npz", ".svg", ".json"])
def test_quickdraw_drawings_come_back_from_other_formats(quickdraw, tmp_path, suffix):
    path, _ = quickdraw
    programs = [drawing.program for drawing in load_drawings(path)]
    batches = [programs] if suffix == ".npz" else [[program] for program in programs[:10]]
    for batch in batches:
        assert save_programs(batch, tmp_path / f"out{suffix}") == {}
        back = [drawing.program for drawing in load_drawings(tmp_path / f"out{suffix}")]
        assert [program.strokes for program in back] == [program.strokes for program in batch]


def test_quickdraw_drawings_look_like_their_bitmaps(quickdraw):
    path, images = quickdraw
    overlaps = [
        overlap(centred(drawing.program, 57 / 64), image, size=64)
        for drawing, image in zip(load_drawings(path), images, strict=True)
    ]
    assert np.mean(overlaps) > 0.85 and min(overlaps) > 0.7


def centred(program, scale):
    """As the bitmaps were drawn: the middle of the drawing in the middle of the picture, with a margin."""
    points = np.array([point for stroke in program.strokes for point in (stroke.start, stroke.end)])
    middle = (points.min(axis=0) + points.max(axis=0)) / 2

    def moved(stroke):
        places = {
            name: Point(*(scale * (getattr(stroke, name) - middle) + 0.5)) for name in ("start", "control", "end")
        }
        return dataclasses.replace(stroke, **places)

    return dataclasses.replace(program, strokes=tuple(map(moved, program.strokes)))


@pytest.fixture(scope="module")
def omniglot(tmp_path_factory):
    data = {name: array for name, array in arrays("omniglot_strokes.npz").items()}
    images = arrays("omniglot_small.npz")["images"]
    chosen = np.linspace(0, len(images) - 1, COUNT).astype(int)
    folder = tmp_path_factory.mktemp("omniglot")
    for place, number in enumerate(chosen):
        lines = ["START"]
        for points, times in zip(strokes_of(data, number), strokes_of(data, number, "t"), strict=True):
            lines += [f"{x / 100:.6f},{-y / 100:.6f},{t:.6f}" for (x, y), t in zip(points, times, strict=True)]
            lines.append("BREAK")
        (folder / f"{place:02d}.txt").write_text("\n".join(lines) + "\n")
    return sorted(folder.iterdir()), images[chosen]


def test_omniglot_points_come_back(omniglot, tmp_path):
    joined = 0
    for path in omniglot[0]:
        program, losses = load_drawing(path)
        assert losses.pop("drawings whose timing is not kept") == 1
        assert save_programs([program], tmp_path / "out.txt") == {}
        before, back = (
            [line.rpartition(",")[0] for line in text.read_text().splitlines()] for text in (path, tmp_path / "out.txt")
        )
        assert (before == back) == (not losses)
        joined += bool(losses)
    assert joined < 0.2 * COUNT


def test_omniglot_drawings_look_like_their_images(omniglot):
    paths, images = omniglot
    overlaps = [
        overlap(next(load_drawings(path, pen_width=0.04)).program, image, size=105)
        for path, image in zip(paths, images, strict=True)
    ]
    # One of them was published with its strokes and its image some pixels apart.
    assert np.mean(overlaps) > 0.85 and sorted(overlaps)[1] > 0.8


def test_these_thresholds_would_notice_a_mirrored_or_moved_drawing(omniglot):
    paths, images = omniglot
    for path, image in itertools.islice(zip(paths, images, strict=True), 5):
        program = next(load_drawings(path, pen_width=0.04)).program
        assert max(overlap(program, wrong, size=105) for wrong in (image.T, image[::-1], np.roll(image, 3, 1))) < 0.7
