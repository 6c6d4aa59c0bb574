"""Populations, from their settings to the best painter."""

from __future__ import annotations

import dataclasses
import io
import json
import re

import pytest
from click.testing import CliRunner
from PIL import Image
from rich.console import Console

from spiral.agents.member import Member, Session
from spiral.agents.painter_file import load_painter
from spiral.cli import main
from spiral.errors import InputError
from spiral.evaluate import evaluate_file
from spiral.history_picture import draw_history
from spiral.population import History, PopulationConfig, PopulationFolder, Record
from spiral.report import Report
from spiral.run_folder import STATE_FILE, find_painter
from spiral.state_file import load_state
from spiral.tune import Tuning

TABLE = r"generation \d of 2\n  member +steps  learning rate  entropy  Fréchet ratio\n"


@pytest.fixture
def said():
    return io.StringIO()


def tune(population, folder, said):
    history = History(folder.history_file, population.members)
    Tuning(population, folder, history, Report(Console(file=said, width=200))).loop()
    return history


def test_the_worse_of_two_goes_on_from_the_better(on_ray, tiny_run, tmp_path, said):
    population = PopulationConfig.around(tiny_run, 2, 2)
    folder = PopulationFolder(tmp_path / "population")
    history = tune(population, folder, said)

    first, second = history.of(1), history.of(2)
    assert [one.member for one in first + second] == [0, 1, 0, 1]
    assert [one.origin for one in first] == [0, 1]
    better, worse = sorted(first, key=lambda one: one.rank)
    assert second[better.member].origin == second[worse.member].origin == better.member
    # The better one went on as it was, the worse one with settings close to the better one's or drawn anew.
    went_on, explored = second[better.member], second[worse.member]
    assert (went_on.learning_rate, went_on.entropy) == (better.learning_rate, better.entropy)
    assert (explored.learning_rate, explored.entropy) not in {
        (better.learning_rate, better.entropy),
        (worse.learning_rate, worse.entropy),
    }
    assert population.within(vars(explored)) == vars(explored)

    best = min(second, key=lambda one: one.rank)
    assert folder.best.resolve() == folder.member(best.member).path.resolve()
    trained = load_painter(find_painter(folder.best))
    assert trained.env_steps == best.env_steps >= 240
    assert trained.run == population.member(best.member, best.learning_rate, best.entropy)
    with Image.open(folder.picture) as picture:
        assert picture.format == "PNG"
    assert not folder.tune.exists()

    text = said.getvalue()
    assert len(re.findall(TABLE, text)) == 2
    # What the members were chosen by is not what is told of the best one.
    held_out = evaluate_file(str(folder.best))["frechet_ratio"]
    assert f"On held-out pictures, by which nothing was chosen: Fréchet ratio {held_out:.4f}\n" in text
    assert 0 < abs(held_out - best.fitness) < 0.5
    assert f"went on from member {better.member}\n" in text
    assert re.search(r"Done after [\d.]+ minutes. What led to the best painter:\n", text)
    assert text.endswith(f"Paint with it: spiral paint {folder.best}\n")


def test_members_share_a_discriminator_that_goes_on_with_them(on_ray, tiny_run, tmp_path, said):
    """One after the other, in this process and without Tune."""
    population = PopulationConfig.around(tiny_run, 2, 2, shared_discriminator=True)
    folder = PopulationFolder(tmp_path / "population")
    tuning = Tuning(population, folder, History(folder.history_file, 2), Report(Console(file=said)))
    with tuning._discriminator() as sharing:
        for number, settings in enumerate(population.beginnings()):
            kind = type("Numbered", (Member,), {"trial_name": str(number)})
            row = kind({"session": Session(sharing, str(folder.path), []), **settings}).train()
            tuning.reached(Record(**{field.name: row[field.name] for field in dataclasses.fields(Record)}))
    (checkpoint,) = folder.discriminator.checkpoint_folders()
    saved = load_state(checkpoint / STATE_FILE)
    assert checkpoint.name == f"{1:012d}"
    assert saved["version"] == 2 * 120 / 24  # both members' rollouts

    history = History(folder.history_file, 2)
    later = Tuning(population, folder, history, Report(Console(file=said)))
    with later._discriminator():
        assert later._shared.get_state()["version"] == saved["version"]
    (checkpoint / STATE_FILE).write_text("damage")
    with pytest.raises(InputError, match="is damaged: state.npz is not as it was written"), later._discriminator():
        pass


def test_what_led_to_the_best_painter_is_drawn(tmp_path):
    path = tmp_path / "history.jsonl"
    rows = [
        {"generation": 1, "member": 0, "origin": 0, "learning_rate": 1e-3, "entropy": 0.1, "fitness": 0.9},
        {"generation": 1, "member": 1, "origin": 1, "learning_rate": 1e-4, "entropy": 0.2, "fitness": None},
        {"generation": 2, "member": 0, "origin": 0, "learning_rate": 1e-3, "entropy": 0.1, "fitness": 0.7},
        {"generation": 2, "member": 1, "origin": 0, "learning_rate": 8e-4, "entropy": 0.12, "fitness": 0.6},
    ]
    path.write_text("".join(json.dumps(row | {"env_steps": 100}) + "\n" for row in rows))
    history = History(path, 2)
    pictures = []
    for number, last in enumerate(history.of(2)):
        picture = tmp_path / f"{number}.png"
        draw_history(history, history.lineage(last), "Fréchet ratio", picture)
        with Image.open(picture) as image:
            pictures.append(image.convert("L").tobytes())
    assert pictures[0] != pictures[1]


# -- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path, monkeypatch, tiny_run):
    """A working folder with a finished population in it; nothing else may be left there."""
    monkeypatch.chdir(tmp_path)
    population = PopulationConfig.around(tiny_run, 2, 2)
    folder = PopulationFolder("finished")
    folder.write_config(population)
    rows = [
        {"generation": g, "member": m, "origin": m, "learning_rate": 1e-3, "entropy": 0.1, "env_steps": 1, "fitness": 1}
        for g in (1, 2)
        for m in (0, 1)
    ]
    folder.history_file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = sorted(tmp_path.rglob("*"))
    yield
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("tune --population 1", "--population must be a whole number from 2 to 1000, got 1"),
        ("tune --entropy 0.1 0.01", "--entropy must be two numbers above 0, the lowest and the highest, got 0.1 0.01"),
        ("tune --set learner.entrpy=1", "unknown setting 'learner.entrpy'; .* Did you mean 'learner.entropy'?"),
        ("tune --data nowhere/", "there is no nowhere/; give the path of a folder of image files or .*"),
        (
            "tune digits-target --shared-discriminator",
            "objective l2 has no discriminator to share; leave --shared-discriminator out",
        ),
        ("tune --set minutes=none", "a run needs an end: set env_steps, minutes or cpu_seconds"),
        (
            "tune --out finished",
            "there is a population in finished already; go on with it by --resume, or give another folder by --out",
        ),
        (
            "tune --resume --out finished",
            "the population in finished has reached its end; to train its best painter on: spiral train --resume .*",
        ),
        (
            "tune --resume",
            "there is no population in runs/digits-population (no population.json); start one without .*",
        ),
        (
            "tune --address ray://10.0.0.1:10001",
            "a population runs on a machine of its cluster, got --address ray://10.0.0.1:10001; .*",
        ),
        ("tune --address 127.0.0.1:1", "nobody answers at 127.0.0.1:1 (.*); start a cluster there, or leave --.*"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(here, command, message):
    result = CliRunner().invoke(main, command.split())
    assert (result.exit_code, result.stdout) == (2, "")
    pattern = re.escape(f"Error: {message}\n").replace(r"\.\*", ".*")
    assert re.fullmatch(pattern, result.stderr), result.stderr
