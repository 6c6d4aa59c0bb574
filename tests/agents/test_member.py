"""Members of a population as Ray Tune drives them, here in this process."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spiral import config
from spiral.agents.algorithm import resources_of
from spiral.agents.member import POINTER, Member, Session
from spiral.agents.painter_file import load_painter
from spiral.errors import InputError
from spiral.evaluate import Evaluator
from spiral.population import PopulationConfig, PopulationFolder, Record
from spiral.run_folder import PAINTER_FILE, STATE_FILE, find_painter

GENERATIONS = 4  # of 60 steps
LOW, HIGH = {"learning_rate": 1e-4, "entropy": 0.02}, {"learning_rate": 1e-3, "entropy": 0.2}


@pytest.fixture(scope="module")
def population(tiny_run):
    return PopulationConfig.around(tiny_run, 2, GENERATIONS, (1e-5, 1e-1), (0.001, 1.0))


def member(number, population, out, settings, reached=()):
    """As Tune makes it, in the trial of this name."""
    kind = type("Numbered", (Member,), {"trial_name": str(number)})
    return kind({"session": Session(population, str(out), list(reached)), **settings})


@pytest.fixture(scope="module")
def trained(on_ray, population, tmp_path_factory):
    """Two members after two generations of their own: the folder, the members, their results."""
    out = tmp_path_factory.mktemp("population")
    members = [member(0, population, out, LOW), member(1, population, out, HIGH)]
    return PopulationFolder(out), members, [[one.train() for _ in range(2)] for one in members]


def weights(path):
    return {name: value.numpy() for name, value in load_painter(path).painter.state_dict().items()}


def same(a, b):
    return all(np.array_equal(a[name], b[name]) for name in a)


def saved(of, folder):
    folder.mkdir()
    of.save_checkpoint(str(folder))
    return folder


def test_a_step_is_a_generation(trained):
    folder, _, results = trained
    for number, (first, second) in enumerate(results):
        assert (first["generation"], second["generation"]) == (1, 2)
        assert (first["member"], first["origin"]) == (number, number)
        # A rollout has 24 steps, and each generation ends with the first that reaches its share of 240.
        assert (first["env_steps"], second["env_steps"]) == (72, 120)
        assert second["rank"] == second["fitness"] > 0
        assert [int(one.name) for one in folder.member(number).checkpoint_folders()] == [72, 120]
    assert results[0][0]["fitness"] != results[1][0]["fitness"]


def test_members_are_compared_by_pictures_that_are_not_held_out(trained, population):
    folder, members, results = trained
    compared = Evaluator(population.run, split="train")
    assert np.array_equal(members[0]._evaluator.pictures, compared.pictures)
    measured, _ = compared(load_painter(find_painter(folder.member(0).path)).painter)
    assert measured["frechet_ratio"] == pytest.approx(results[0][1]["fitness"])


def test_members_are_runs_with_settings_of_their_own(trained, population):
    folder, _, _ = trained
    for number, settings in enumerate((LOW, HIGH)):
        assert folder.member(number).read_config() == population.member(number, **settings)
        rates = [row["learning_rate"] for row in folder.member(number).metrics() if "learning_rate" in row]
        assert 0.5 * settings["learning_rate"] < min(rates) <= max(rates) <= settings["learning_rate"]


def test_what_tune_keeps_of_a_checkpoint_is_where_it_lies(trained, tmp_path):
    _, members, _ = trained
    kept = saved(members[1], tmp_path / "kept")
    assert [entry.name for entry in kept.iterdir()] == [POINTER]
    assert json.loads((kept / POINTER).read_text()) == {"member": 1, "checkpoint": "000000000120"}


def test_a_member_goes_on_in_a_process_that_another_one_had(trained, population, tmp_path):
    """Bit for bit as in its own: Tune gives its processes to members in turn."""
    folder, _, _ = trained
    results = []
    for other in (0, 1):
        out = tmp_path / str(other)
        one = member(other, population, out, HIGH)
        one.train()
        one.trial_name = "1"
        assert one.reset({"session": Session(population, str(out), []), **HIGH})
        one.train()
        results.append(weights(PopulationFolder(out).member(1).newest_checkpoint() / PAINTER_FILE))
    assert same(*results)
    assert same(results[0], weights(folder.member(1).checkpoints / f"{72:012d}" / PAINTER_FILE))


def test_a_member_takes_over_another_and_trains_it_with_new_settings(trained, population, tmp_path):
    folder, members, _ = trained
    new = {"learning_rate": 2e-3, "entropy": 0.5}
    kept = saved(members[1], tmp_path / "kept")
    one = member(0, population, folder.path, new)
    one.load_checkpoint(str(kept))
    one._iteration = 2  # as Tune's restore does
    result = one.train()
    assert (result["generation"], result["member"], result["origin"]) == (3, 0, 1)
    assert (result["learning_rate"], result["entropy"], result["env_steps"]) == (2e-3, 0.5, 192)
    mine, other = (folder.member(number) for number in (0, 1))
    assert mine.read_config() == population.member(0, **new)
    # Its own painter is gone, the other's in its place, and what was learned from there.
    taken = mine.checkpoints / f"{120:012d}"
    assert (taken / STATE_FILE).read_bytes() == (other.newest_checkpoint() / STATE_FILE).read_bytes()
    assert not same(weights(taken / PAINTER_FILE), weights(mine.newest_checkpoint() / PAINTER_FILE))
    assert int(mine.newest_checkpoint().name) == 192
    rates = [row["learning_rate"] for row in mine.metrics() if "learning_rate" in row]
    half_over = 1 - 0.5 * (1 - population.run.learner.final_learning_rate)
    assert rates[5] == pytest.approx(half_over * 2e-3)
    # The next generation is its own again.
    result = one.train()
    assert (result["generation"], result["origin"], result["env_steps"]) == (4, 0, 240)


def test_a_damaged_checkpoint_is_not_taken_over(population, tmp_path):
    folder = PopulationFolder(tmp_path)
    with folder.member(1).new_checkpoint(120) as beside:
        for name in (STATE_FILE, PAINTER_FILE):
            (beside / name).write_text("weights")
    (folder.member(1).newest_checkpoint() / STATE_FILE).write_text("weighst")
    one = member(0, population, tmp_path, LOW)
    (tmp_path / POINTER).write_text(json.dumps({"member": 1, "checkpoint": "000000000120"}))
    one.load_checkpoint(str(tmp_path))
    with pytest.raises(InputError, match="000000000120 is damaged: state.npz is not as it was written"):
        one.step()


def test_a_population_goes_on_with_what_its_members_had_reached(trained, population, tmp_path):
    folder, _, _ = trained
    records = [Record(2, number, number, **HIGH, env_steps=120, fitness=0.5) for number in (0, 1)]
    one = member(1, population, folder.path, HIGH, records)
    result = one.train()
    assert {name: result[name] for name in ("generation", "member", "fitness")} == {
        "generation": 2,
        "member": 1,
        "fitness": 0.5,
    }
    assert json.loads((saved(one, tmp_path / "kept") / POINTER).read_text())["checkpoint"] == "000000000120"
    result = one.train()
    assert (result["generation"], result["origin"], result["env_steps"]) == (3, 1, 192)


def test_one_that_breaks_down_is_the_worst_and_keeps_its_last_checkpoint(on_ray, population, tmp_path):
    one = member(0, population, tmp_path, LOW)
    one.train()
    one._settings = {"learning_rate": 1e30, "entropy": 0.02}  # far out of any range
    result = one.train()
    assert result["rank"] == float("inf")
    assert result["fitness"] is None
    assert "not finite" in result["remark"]
    assert result["env_steps"] == 72


def test_a_member_asks_for_what_its_processes_need(tiny_run):
    assert resources_of(tiny_run).required_resources == {"CPU": 1}
    run = config.override(tiny_run, ["num_env_runners=3", "discriminator.remote=true", "discriminator.num_gpus=0.5"])
    assert resources_of(run).required_resources == {"CPU": 5, "GPU": 0.5}
