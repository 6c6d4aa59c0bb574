from __future__ import annotations

import dataclasses
import json
import math
import re
import shutil

import pytest

from spiral import config
from spiral.errors import InputError
from spiral.population import History, PopulationConfig, PopulationFolder, Record, population_from_options
from spiral.run_folder import RunFolder

OF_RUN = ("data", "minutes", "env_steps", "cpu_seconds", "seed")


def from_options(preset=None, out=None, resume=False, settings=(), address=None, **given):
    options = dict.fromkeys(("members", "generations", "learning_rate", "entropy", *OF_RUN)) | given
    options.setdefault("shared_discriminator", False)
    return population_from_options(preset, out, resume, settings, address, **options)


def is_said(error, message):
    """Whether the text of an error is this, in which ``.*`` stands for anything."""
    return re.fullmatch(re.escape(message).replace(r"\.\*", ".*"), str(error.value))


def record(generation, member, fitness, origin=None, env_steps=0, **others):
    origin = member if origin is None else origin
    return Record(generation, member, origin, 1e-3, 0.1, env_steps or 100 * generation, fitness, **others)


@pytest.fixture
def population(tiny_run):
    return PopulationConfig.around(tiny_run, 3, 4, (1e-4, 1e-2), (0.01, 1.0))


def test_ranges_lie_around_the_values_of_the_preset_unless_they_are_given():
    population, folder = from_options("digits")
    learner = population.run.learner
    assert (population.members, population.generations) == (4, 10)
    assert population.learning_rate == (learner.learning_rate / 5, learner.learning_rate * 5)
    assert population.entropy == (learner.entropy / 5, learner.entropy * 5)
    assert str(folder) == "runs/digits-population"
    given, folder = from_options("digits", "here", learning_rate=(1e-5, 3e-4), entropy=(2e-3, 1e-1), members=12, seed=3)
    assert (given.learning_rate, given.entropy, given.members) == ((1e-5, 3e-4), (2e-3, 1e-1), 12)
    assert (given.run.seed, str(folder)) == (3, "here")


def test_a_member_is_one_process_unless_there_is_a_cluster_or_it_is_asked_for():
    def processes(**options):
        run = from_options("digits", **options)[0].run
        return run.num_env_runners, run.discriminator.remote

    assert processes() == (0, False)
    assert processes(settings=["num_env_runners=2"]) == (2, False)
    assert processes(address="auto", settings=["num_env_runners=9"]) == (9, True)


def test_one_member_begins_with_the_preset_and_the_others_anywhere_in_the_ranges(population):
    many = dataclasses.replace(population, members=1000)
    first, *others = many.beginnings()
    learner = population.run.learner
    assert first == {"learning_rate": learner.learning_rate, "entropy": learner.entropy}
    assert many.beginnings() == [first, *others]
    for name, (low, high) in {"learning_rate": (1e-4, 1e-2), "entropy": (0.01, 1.0)}.items():
        values = [one[name] for one in others]
        assert min(values) >= low
        assert max(values) <= high
        # Log-uniformly: half of them in the lower half of the exponents.
        assert sum(value < math.sqrt(low * high) for value in values) == pytest.approx(500, abs=60)
    narrow = dataclasses.replace(many, entropy=(0.3, 0.4))
    assert narrow.beginnings()[0]["entropy"] == 0.3


def test_settings_are_moved_into_their_ranges(population):
    assert population.within({"learning_rate": 0.02, "entropy": 0.001, "member": 3}) == {
        "learning_rate": 0.01,
        "entropy": 0.01,
        "member": 3,
    }


def test_members_differ_in_two_settings_and_the_seed(population):
    run = population.member(2, learning_rate=1e-4, entropy=0.5)
    learner = dataclasses.replace(population.run.learner, learning_rate=1e-4, entropy=0.5)
    assert run == dataclasses.replace(population.run, learner=learner, seed=population.run.seed + 2)


def test_painters_of_given_pictures_are_compared_by_their_errors(population):
    assert population.fitness == "frechet_ratio"
    run = config.override(population.run, ["env.target=true"])
    assert dataclasses.replace(population, run=run).fitness == "squared_error"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"members": 1}, "--population must be a whole number from 2 to 1000, got 1"),
        ({"generations": 1}, "--generations must be a whole number from 2 to 10000, got 1"),
        (
            {"learning_rate": (0.0, 1e-3)},
            "--learning-rate must be two numbers above 0, the lowest and the highest, got 0 0.001",
        ),
        ({"entropy": (0.2, 0.1)}, "--entropy must be two numbers above 0, the lowest and the highest, got 0.2 0.1"),
        ({"learning_rate": (1e-3, 2.0)}, "--learning-rate highest must be a number from 0 to 1, got 2.0"),
        ({"preset": "digit"}, "unknown preset 'digit'; .* Did you mean 'digits'?"),
        (
            {"resume": True},
            "there is no population in runs/digits-population (no population.json); start one without .*",
        ),
        (
            {"resume": True, "out": "here", "members": 4},
            "--resume goes on with the population's own settings; give --out and --address alone",
        ),
        ({"resume": True, "settings": ("seed=1",)}, "--resume goes on with the population's own settings; give .*"),
        ({"resume": True, "seed": 0}, "--resume goes on with the population's own settings; give .*"),
    ],
)
def test_what_does_not_go_together_is_said(tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as error:
        from_options(**options)
    assert is_said(error, message), error.value
    assert not list(tmp_path.iterdir())


# -- the folder -------------------------------------------------------------------------------------------------------


def test_settings_are_read_as_they_were_written(tmp_path, population):
    folder = PopulationFolder(tmp_path / "population")
    folder.write_config(population)
    assert folder.read_config() == population
    with pytest.raises(
        InputError, match="there is a population in .*population already; go on with it by --resume, or"
    ):
        folder.check_free()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"members": "four"}, "--population must be a whole number from 2 to 1000, got 'four'"),
        ({"mebmers": 4}, "a setting is missing or unknown (.*'mebmers')"),
        ({"run": {"seed": -1}}, "setting seed must be from 0 to 4.29497e+09, got -1"),
    ],
)
def test_settings_that_cannot_be_read_are_named(tmp_path, population, change, message):
    folder = PopulationFolder(tmp_path)
    folder.config_file.write_text(json.dumps(population.to_dict() | change))
    with pytest.raises(InputError) as error:
        folder.read_config()
    assert is_said(error, f"cannot read the population's settings in {folder.config_file}: {message}"), error.value


def test_no_population_begins_in_the_folder_of_a_run(tmp_path, tiny_run):
    RunFolder(tmp_path).write_config(tiny_run)
    with pytest.raises(InputError, match="there is a run in .* already"):
        PopulationFolder(tmp_path).check_free()


def test_the_link_to_the_best_leads_there_wherever_the_folder_is_moved(tmp_path, tiny_run):
    folder = PopulationFolder(tmp_path / "first")
    for member in (0, 1):
        folder.member(member).write_config(dataclasses.replace(tiny_run, seed=member))
    folder.point_to_best(record(1, 0, 0.5))
    folder.point_to_best(record(2, 1, 0.4))
    shutil.move(folder.path, tmp_path / "second")
    assert RunFolder(tmp_path / "second" / "best").read_config().seed == 1


def test_what_was_not_finished_is_forgotten(tmp_path):
    folder = PopulationFolder(tmp_path)
    history = History(folder.history_file, 2)
    for one in (record(1, 0, 0.5), record(1, 1, 0.6), record(2, 1, 0.4)):
        history.add(one)
    for member, env_steps in ((0, 100), (1, 100), (1, 200), (0, 300)):
        with folder.member(member).new_checkpoint(env_steps):
            pass
    folder.forget_unfinished(history)
    assert [one.generation for one in History(folder.history_file, 2).records] == [1, 1]
    for member in (0, 1):
        assert [int(entry.name) for entry in folder.member(member).checkpoint_folders()] == [100]


# -- the history ------------------------------------------------------------------------------------------------------


@pytest.fixture
def history(tmp_path):
    history = History(tmp_path / "history.jsonl", 3)
    for one in (
        record(1, 0, 0.9),
        record(1, 2, 0.7),
        record(1, 1, 0.8),
        record(2, 0, 0.5, origin=2),
        record(2, 1, None, remark="broke down"),
        record(2, 2, 0.6),
        record(3, 1, 0.4, origin=0),
    ):
        history.add(one)
    return history


def test_a_generation_is_reached_when_all_are_there(history):
    assert history.generation == 2
    assert [one.member for one in history.of(1)] == [0, 1, 2]
    history.add(record(3, 0, 0.5))
    history.add(record(3, 2, None))
    assert history.generation == 3


def test_the_best_is_the_lowest_of_the_last_generation_that_all_reached(history):
    assert history.best() == record(2, 0, 0.5, origin=2)


def test_none_is_best_where_all_broke_down(tmp_path):
    history = History(tmp_path / "history.jsonl", 2)
    assert history.best() is None
    history.add(record(1, 0, None))
    history.add(record(1, 1, None))
    assert history.best() is None


def test_a_lineage_follows_painters_not_members(history):
    history.add(record(3, 0, 0.5))
    history.add(record(3, 2, 0.6))
    assert [(one.generation, one.member) for one in history.lineage(history.best())] == [(1, 2), (2, 0), (3, 1)]


def test_a_history_is_read_as_it_was_written_but_for_a_line_cut_short(tmp_path, history):
    path = tmp_path / "history.jsonl"
    with path.open("a") as file:
        file.write('{"generation": 3, "mem')
    assert History(path, 3).records == history.records


@pytest.mark.parametrize("line", ['{"generation": 1}', "7"])
def test_a_history_of_something_else_is_named(tmp_path, history, line):
    path = tmp_path / "history.jsonl"
    path.write_text(f"{path.read_text()}{line}\n")
    with pytest.raises(InputError, match=r"cannot read .*history\.jsonl: line 8 is no record of a member \("):
        History(path, 3)
