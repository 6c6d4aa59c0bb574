"""``spiral paint`` for what it is handed: pictures, labels, half-finished programs, canvases."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from untrained import save_untrained

from spiral import Brush, Program, Stroke, config, replay
from spiral.agents.painter_file import load_painter
from spiral.canvas import CanvasSpec
from spiral.cli import main
from spiral.commission import Options
from spiral.errors import InputError
from spiral.metrics import squared_error
from spiral.paint import paint
from spiral.paint_folder import paint_to_folder
from spiral.program import matches_checksum
from spiral.target import read_target

SPEC = CanvasSpec(16, 16, 1)
PAINTERS = {
    "free": [],
    "copyist": ["env.target=true"],
    "color": ["env.target=true", "env.channels=3", "env.color_levels=3", "env.background=[0.0, 0.0, 1.0]"],
    "classes": ["env.classes=3"],
    "both": ["env.target=true", "env.classes=3"],
    "long": ["env.target=true", "env.episode_length=1000"],
    "quiet": ["env.target=true", "env.noise_size=0"],
    "hatcher": ["env.target=true", "objective.scales=[8,4]"],
}
SHARPNESS = {"classes": 100.0}  # so that the label matters


@pytest.fixture(scope="module")
def painters(tiny_run, tmp_path_factory):
    """Folders with painters that have learned nothing, by name."""
    folder = tmp_path_factory.mktemp("painters")
    for name, settings in PAINTERS.items():
        (folder / name).mkdir()
        save_untrained(config.override(tiny_run, settings), folder / name, SHARPNESS.get(name, 1.0))
    return folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working folder with pictures and programs."""
    monkeypatch.chdir(tmp_path)
    rows, columns = np.indices((40, 60))
    photo = 255 - np.stack([rows * 6, columns * 4, rows + columns], axis=2).astype(np.uint8)
    Image.fromarray(photo).save("photo.jpg")
    Image.new("L", (30, 30), 40).save("dark.png")
    Image.new("L", (30, 30), 200).save("light.png")
    Image.new("L", (1, 300), 200).save("long.png")
    half = (Stroke((0.1, 0.2), (0.5, 0.5), (0.9, 0.2), Brush(0.2, opacity=0.5)),)
    Program(CanvasSpec(64, 64, 1), half).save("half.json")
    Program(CanvasSpec(64, 32, 1), half).save("wide.json")
    Program(CanvasSpec(64, 64, 3), half).save("color.json")
    Program(CanvasSpec(64, 64, 1, (0.5, 0.5, 0.5)), half).save("grey.json")
    return tmp_path


@pytest.fixture
def spiral_paint(painters, here):
    """The command with a painter of this name; gives what it printed and the programs in the folder ``out``."""

    def run(painter, *arguments):
        result = CliRunner().invoke(main, ["paint", str(painters / painter), "-o", "out", *map(str, arguments)])
        assert (result.exit_code, result.stderr) == (0, ""), result.stderr
        return result.stdout, [Program.load(path) for path in sorted(Path("out").glob("*.json"))]

    return run


def pixels_of(path, channels=1):
    picture = np.asarray(Image.open(path))
    return picture.reshape(*picture.shape[:2], channels)


def error_of(painting, target):
    return np.square(painting / 255 - target / 255).mean()


# Targets


@pytest.mark.parametrize(("painter", "channels"), [("copyist", 1), ("color", 3)])
def test_a_picture_is_painted_and_the_error_is_told(spiral_paint, painters, painter, channels):
    said, (program,) = spiral_paint(painter, "--target", "photo.jpg", "--sample")
    env = load_painter(painters / painter / "painter.npz").run.env
    target = read_target("photo.jpg", CanvasSpec(16, 16, channels, env.background)).pixels
    painting = pixels_of("out/000.png", channels)
    words = f"target photo.jpg; mean squared error {error_of(painting, target):.4f}"
    assert said == f"out/000.json: {words}\nout: 1 program and sheet.png\n"
    assert program.origin == f"{painter}, 240 steps; {words}"
    assert program.strokes and matches_checksum(program) and (replay(program) == painting).all()
    sheet = pixels_of("out/sheet.png", channels)
    scale = 340 // 16
    shown = sheet[2:-2, 2:-2].reshape(16, scale, -1, channels)[:, 0]
    assert (shown[:, : 16 * scale : scale] == target).all()
    assert (shown[:, 16 * scale + 2 :: scale] == painting).all()


@pytest.mark.parametrize("tiles", [[], ["--tiles", 2]], ids=["whole", "tiles"])
def test_the_error_is_that_of_what_the_painter_was_trained_to_see(spiral_paint, tiles):
    said, (program,) = spiral_paint("hatcher", "--target", "light.png", *tiles)
    error = squared_error(replay(program)[np.newaxis], np.full_like(replay(program)[np.newaxis], 200), 4)
    assert f": target light.png; mean squared error of blocks of 4 x 4 pixels {error:.4f}\n" in said
    assert program.origin.endswith(f" of blocks of 4 x 4 pixels {error:.4f}")


def test_light_lines_on_a_dark_ground_are_advised_to_be_inverted(spiral_paint):
    advice = "dark.png: most of it is ink, not background; if that is the wrong way round, give dark.png:invert\n"
    said, _ = spiral_paint("copyist", "--target", "dark.png", "--target", "light.png", "-n", 2)
    assert said.count(advice) == said.count(":invert") == 1
    others = [("copyist", "dark.png:invert"), ("copyist", "light.png"), ("color", "dark.png"), ("hatcher", "dark.png")]
    for painter, target in others:
        assert ":invert" not in spiral_paint(painter, "--target", target)[0]


def test_the_same_as_json(spiral_paint):
    files = ["photo.jpg", "dark.png"]
    said, _ = spiral_paint("both", *(f"--target={file}" for file in files), "--label", 2, "--label", 0, "--json")
    told = json.loads(said)
    errors = errors_in_out([read_target(file, SPEC).pixels for file in files])
    assert [row.pop("squared_error") for row in told] == pytest.approx(errors)
    assert told == [
        {"program": "out/000.json", "label": 2, "target": "photo.jpg"},
        {"program": "out/001.json", "label": 0, "target": "dark.png"},
    ]


def errors_in_out(targets):
    return [error_of(pixels_of(f"out/{number:03d}.png"), target) for number, target in enumerate(targets)]


def test_one_painting_of_each_target_is_greedy_and_several_are_sampled(spiral_paint, painters):
    trained = load_painter(painters / "copyist" / "painter.npz")
    targets = [read_target(name, SPEC).pixels for name in ("photo.jpg", "dark.png")]

    def painted(targets, greedy):
        paintings = paint(trained.painter, trained.run.env, len(targets), 5, greedy, given={"target": targets})
        return [program.strokes for program in paintings.programs]

    files = ["--seed", 5, "--target", "photo.jpg", "--target", "dark.png"]
    for arguments, expected in (
        ([], painted(targets, True)),
        (["--sample"], painted(targets, False)),
        (["-n", 2], painted([targets[0], targets[0], targets[1], targets[1]], False)),
        (["-n", 2, "--greedy"], painted([targets[0], targets[0], targets[1], targets[1]], True)),
    ):
        _, programs = spiral_paint("copyist", *files, *arguments)
        assert [program.strokes for program in programs] == expected, arguments
    assert [program.origin.split("; ")[1] for program in programs] == 2 * ["target photo.jpg"] + 2 * ["target dark.png"]


def test_without_a_target_one_painting_is_sampled_too(spiral_paint, painters):
    trained = load_painter(painters / "free" / "painter.npz")
    _, (program,) = spiral_paint("free", "-n", 1)
    assert program.strokes == paint(trained.painter, trained.run.env, 1).programs[0].strokes
    assert program.strokes != paint(trained.painter, trained.run.env, 1, greedy=True).programs[0].strokes


def test_the_best_of_several_is_kept(spiral_paint, painters):
    trained = load_painter(painters / "copyist" / "painter.npz")
    targets = [read_target(name, SPEC).pixels for name in ("photo.jpg", "dark.png")]
    tries = [target for target in targets for _ in range(7)]
    first_greedily = [number % 7 == 0 for number in range(14)]
    paintings = paint(trained.painter, trained.run.env, 14, greedy=first_greedily, given={"target": tries})
    errors = np.array([error_of(*pair) for pair in zip(paintings.canvases, tries)]).reshape(2, 7)
    spiral_paint("copyist", "--target", "photo.jpg", "--target", "dark.png", "--best-of", 7)
    np.testing.assert_allclose(errors_in_out(targets), errors.min(axis=1))
    assert (errors.min(axis=1) < errors.max(axis=1)).all()
    greedy = paint(trained.painter, trained.run.env, 2, greedy=True, given={"target": targets}).canvases
    assert (paintings.canvases[::7] == greedy).all()  # so that asking for more never loses


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ([], lambda: read_target("photo.jpg", SPEC)),
        (["--fit", "crop"], lambda: read_target("photo.jpg", SPEC, "crop")),
    ],
)
def test_the_painter_sees_the_whole_picture_or_its_middle(spiral_paint, arguments, shown):
    said, _ = spiral_paint("copyist", "--target", "photo.jpg", *arguments)
    assert f"mean squared error {errors_in_out([shown().pixels])[0]:.4f}\n" in said


def test_dark_and_light_are_swapped_on_demand(spiral_paint):
    said, (program,) = spiral_paint("copyist", "--target", "dark.png:invert")
    assert f"mean squared error {error_of(pixels_of('out/000.png'), np.full((16, 16, 1), 215)):.4f}\n" in said
    assert "target dark.png;" in program.origin


def test_a_large_picture_is_painted_by_tiles(spiral_paint):
    said, programs = spiral_paint(
        "copyist", "--target", "photo.jpg", "--target", "dark.png", "--tiles", 2, "--best-of", 5
    )
    sizes = [(program.canvas.width, program.canvas.height) for program in programs]
    assert sizes == [(48, 32), (32, 32)]
    targets = [read_target(name, SPEC, tiles=2).pixels for name in ("photo.jpg", "dark.png")]
    for number, (program, error) in enumerate(zip(programs, errors_in_out(targets))):
        assert program.strokes and matches_checksum(program)
        assert (replay(program) == pixels_of(f"out/{number:03d}.png")).all()
        assert f"out/{number:03d}.json: {program.origin.removeprefix('copyist, 240 steps; ')}\n" in said
        assert program.origin.endswith(f"mean squared error {error:.4f}")
    _, others = spiral_paint("copyist", "--target", "photo.jpg", "--tiles", 2, "--best-of", 5)
    assert others[0] == programs[0]


def test_it_is_painted_in_one_thread(painters, here):
    threads = []

    def watch(items, count):
        for item in items:
            threads.append(torch.get_num_threads())
            yield item

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        paint_to_folder(str(painters / "copyist"), "out", Options(targets=["dark.png"], tiles=1), watch)
    finally:
        torch.set_num_threads(before)
    assert threads == [1]


# Labels


def test_a_class_is_painted_as_often_as_asked_for(spiral_paint, painters):
    trained = load_painter(painters / "classes" / "painter.npz")
    labels = [2, 2, 0, 0]
    said, programs = spiral_paint("classes", "--label", 2, "--label", 0, "-n", 2)
    expected = paint(trained.painter, trained.run.env, 4, given={"label": labels}).programs
    assert [program.strokes for program in programs] == [program.strokes for program in expected]
    assert [program.origin for program in programs] == [f"classes, 240 steps; label {label}" for label in labels]
    assert said == "out: 4 programs and sheet.png\n"
    assert not list(Path("out").glob("0*.png"))


def test_without_a_label_all_classes_are_painted_in_turn(spiral_paint):
    said, programs = spiral_paint("classes", "-n", 5, "--json")
    assert [row["label"] for row in json.loads(said)] == [0, 1, 2, 0, 1]
    assert [program.origin[-1] for program in programs] == list("01201")
    assert len(spiral_paint("classes")[1]) == 16
    assert len(spiral_paint("classes", "--label", 1)[1]) == 16


def test_several_targets_may_share_a_label_and_several_labels_a_target(spiral_paint):
    for arguments, expected in (
        (["--target", "photo.jpg", "--target", "dark.png", "--label", 1], [("photo.jpg", 1), ("dark.png", 1)]),
        (["--target", "photo.jpg", "--label", 1, "--label", 2], [("photo.jpg", 1), ("photo.jpg", 2)]),
    ):
        said, _ = spiral_paint("both", *arguments, "--json")
        assert [(row["target"], row["label"]) for row in json.loads(said)] == expected


# Half-finished programs and canvases


@pytest.mark.parametrize(
    ("painter", "arguments", "side"),
    [
        ("free", ["-n", 2], 16),
        ("copyist", ["--target", "dark.png", "--target", "light.png", "--sample"], 16),
        ("copyist", ["--target", "dark.png", "--target", "light.png", "--tiles", 2, "--best-of", 5], 32),
    ],
)
def test_a_painting_is_gone_on_with(spiral_paint, painter, arguments, side):
    _, programs = spiral_paint(painter, "--program", "half.json", *arguments)
    (stroke,) = Program.load("half.json").strokes
    assert len(programs) == 2
    for program in programs:
        assert program.strokes[0] == stroke
        assert program.canvas == CanvasSpec(side, side, 1) and matches_checksum(program)
        assert "strokes given at the start: 1" in program.origin
    assert any(len(program.strokes) > 1 for program in programs)


@pytest.mark.parametrize("tiles", [[], ["--tiles", 2]])
def test_a_picture_is_painted_over(spiral_paint, tiles):
    _, (program,) = spiral_paint("copyist", "--target", "dark.png", "--canvas", "light.png:invert", *tiles)
    assert program.checksum is None
    assert "; painted over light.png, which is not in this program; target dark.png; " in program.origin
    painting = pixels_of("out/000.png")
    assert (painting == 55).any() and not (painting == 255).any()


def test_a_painter_of_nothing_given_paints_over_a_picture_too(spiral_paint):
    _, programs = spiral_paint("free", "--canvas", "light.png", "-n", 3)
    assert {program.checksum for program in programs} == {None}
    assert (pixels_of("out/sheet.png")[2:66, 2:66] == 200).any()


# What is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "free --target photo.jpg",
            "free does not paint given pictures: leave --target out, or take a painter that does, such as digits-target; "
            + "your own: spiral train digits-target --data DATA",
        ),
        ("copyist", "copyist paints given pictures: give one by --target, an image file"),
        (
            "copyist --label 1 --target dark.png",
            "copyist does not paint by labels: leave --label out, or take a painter .*",
        ),
        (
            "free --label 1",
            "free does not paint by labels: .* such as digits-labels; your own: spiral train digits-labels .*",
        ),
        ("classes --label 3", "--label must be a whole number from 0 to 2, got 3"),
        ("classes --label -1", "--label must be a whole number from 0 to 2, got -1"),
        ("both --target dark.png", "both paints given pictures by their classes: give --label, 0 to 2, too"),
        (
            "both --target dark.png --target light.png --label 1 --label 2 --label 0",
            "got 2 targets and 3 labels; give one --label for all, or one for each --target",
        ),
        ("copyist --target nothing.png", "cannot read nothing.png: No such file or directory"),
        ("copyist --target half.json", "half.json is no picture in a format read here: PNG, .*"),
        ("copyist --target dark.png --fit squeeze", "unknown fit 'squeeze'; known: pad, crop"),
        ("copyist --target dark.png --canvas nothing.png", "cannot read nothing.png: No such file or directory"),
        ("copyist --target dark.png -n 0", "-n must be a whole number from 1 to 10000, got 0"),
        ("copyist --target dark.png --best-of 101", "--best-of must be a whole number from 1 to 100, got 101"),
        (
            "copyist --target dark.png --target light.png -n 51 --best-of 100",
            "these are 10,200 paintings, and at most 10,000 are accepted; give a smaller -n or --best-of, or fewer .*",
        ),
        (
            "quiet --target dark.png -n 3 --best-of 2 --greedy",
            "quiet sees no noise, so that its 6 greedy paintings would be all alike; leave --greedy out, or .* only one",
        ),
        ("free --best-of 2", "--best-of is for painting a given picture: give one by --target"),
        ("free --fit crop", "--fit is for a given picture: give one by --target or --canvas"),
        ("free --tiles 2", "--tiles is for painting a given picture: give one by --target"),
        ("copyist --target dark.png --tiles 65", "--tiles must be a whole number from 1 to 64, got 65"),
        (
            "copyist --target photo.jpg --tiles 64",
            "photo.jpg: a canvas for it of 64 tiles is 1536 x 1024 pixels, at most 1024 are accepted; give at most 42 tiles",
        ),
        ("copyist --target long.png --tiles 1", "long.png: .*; such a long one cannot be painted by tiles"),
        (
            "long --target dark.png --tiles 8",
            "--tiles 8 is up to 225,000 strokes, a program has at most 100,000; give fewer tiles",
        ),
        ("free --program nothing.json", "cannot read nothing.json: No such file or directory"),
        ("free --program dark.png", "dark.png: not a stroke program: not a text file"),
        (
            "free --program wide.json",
            "wide.json cannot be gone on from: its canvas has 64 x 32 pixels, grey, on [1.0, 1.0, 1.0]; here it has .*, "
            + "and only the number of pixels may differ, not the shape",
        ),
        ("free --program color.json", "color.json cannot be gone on from: its canvas has 64 x 64 pixels, RGB, .*"),
        ("free --program grey.json", "grey.json cannot be gone on from: its canvas .*, grey, on [0.5, 0.5, 0.5]; .*"),
        (
            "copyist --target photo.jpg --program half.json --tiles 2",
            "half.json cannot be gone on from: .*; here it has 48 x 32 pixels, grey, .*",
        ),
        ("copyist --target dark.png -o half.json", "cannot write paintings to half.json: it is a file; give a folder"),
    ],
)
def test_what_does_not_go_is_one_line_and_leaves_nothing(painters, here, arguments, message):
    before = sorted(here.rglob("*"))
    result = CliRunner().invoke(main, ["paint", *f"{painters}/{arguments}".split()])
    assert (result.exit_code, result.stdout) == (2, "")
    pattern = re.escape(f"Error: {message}\n").replace(r"\.\*", ".*")
    assert re.fullmatch(pattern, result.stderr), result.stderr
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize(
    ("where", "name"),
    [
        ("runs/mine", "mine"),
        ("runs/mine/checkpoints/000000000240", "000000000240"),
        ("runs/mine/checkpoints/000000000240/painter.npz", "000000000240"),
        ("runs/other.npz", "other"),
        ("digits", "digits"),
    ],
)
def test_a_painter_is_called_as_its_folder_its_file_or_its_name(painters, here, where, name):
    checkpoint = Path("runs/mine/checkpoints/000000000240")
    checkpoint.mkdir(parents=True)
    Path("runs/mine/config.json").touch()
    for copy in (checkpoint / "painter.npz", "runs/other.npz"):
        shutil.copy(painters / "free" / "painter.npz", copy)
    with pytest.raises(InputError, match=f"^{name} does not paint by labels: "):
        paint_to_folder(where, "out", Options(labels=[1]))


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("000.json", ["--program", "out/000.json"]),
        ("000.png", ["--target", "out/000.png"]),
        ("000.png", ["--canvas", "out/000.png:invert"]),
        ("sheet.png", ["--target", "out/sheet.png"]),
    ],
)
def test_what_is_read_is_never_overwritten(painters, here, name, option):
    Path("out").mkdir()
    Path("dark.png" if name.endswith("png") else "half.json").rename(Path("out") / name)
    content = (Path("out") / name).read_bytes()
    arguments = ["paint", f"{painters}/copyist", "-o", "out", "--target", "light.png", *option]
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stderr) == (
        2,
        f"Error: out/{name} is what is read; give the output another name\n",
    )
    assert (Path("out") / name).read_bytes() == content and len(list(Path("out").iterdir())) == 1
