"""Populations whose processes are killed, and that go on."""

from __future__ import annotations

import signal

import pytest
from spiral_command import Spiral, settings_of, until

from spiral import config
from spiral.agents.painter_file import load_painter
from spiral.population import History, PopulationFolder
from spiral.run_folder import find_painter


@pytest.mark.slow
@pytest.mark.parametrize("shared", [[], ["--shared-discriminator"]])
def test_a_population_is_killed_interrupted_and_gone_on_with(tiny_run, tmp_path, shared):
    run = config.override(tiny_run, ["env_steps=480"])
    folder = PopulationFolder(tmp_path / "population")
    options = ["--out", "population", "--population", 3, "--generations", 4, "--env-steps", run.env_steps]

    first = Spiral("tune", "debug", *options, *shared, *settings_of(run), cwd=tmp_path)
    first.read_until("generation 1 of 4")
    until(lambda: len(History(folder.history_file, 3).of(2)) == 1)  # in the middle of the second
    first.process.kill()
    assert first.end()[0] == -signal.SIGKILL
    until(lambda: first.end()[2].endswith("its node was lost; go on with: spiral tune --resume --out population\n"))
    before = History(folder.history_file, 3).of(1)

    second = Spiral("tune", "--resume", "--out", "population", cwd=tmp_path)
    second.read_until("Going on from generation 1 of 4")
    second.read_until("generation 2 of 4")
    second.signal(signal.SIGINT)
    code, said, errors = second.end()
    assert (code, errors) == (0, "")
    assert said.endswith("Go on with: spiral tune --resume --out population\n")
    assert "Interrupted after generation 2 of 4" in said

    third = Spiral("tune", "--resume", "--out", "population", cwd=tmp_path)
    code, said, errors = third.end()
    assert (code, errors) == (0, "")
    assert "Going on from generation 2 of 4" in said
    assert said.endswith("Paint with it: spiral paint population/best\n")

    history = History(folder.history_file, 3)
    assert history.of(1) == before
    assert sorted((one.generation, one.member) for one in history.records) == [
        (g, m) for g in range(1, 5) for m in range(3)
    ]
    assert all(any(one.origin != one.member for one in history.of(generation)) for generation in (2, 3, 4))
    assert {one.env_steps for one in history.of(4)} == {480}
    assert load_painter(find_painter(folder.best)).env_steps == 480
    assert folder.discriminator.checkpoints.exists() == bool(shared)


@pytest.mark.slow
def test_a_member_whose_process_dies_begins_its_generation_again(tiny_run, tmp_path):
    folder = PopulationFolder(tmp_path / "population")
    options = ["--out", "population", "--population", 2, "--generations", 2, "--env-steps", 10_000]
    tuning = Spiral("tune", "debug", *options, *settings_of(tiny_run), cwd=tmp_path)
    tuning.find("Member.train").kill()
    tuning.read_until("WARNING: member . failed .*; it begins its generation again")
    code, _, errors = tuning.end()
    assert (code, errors) == (0, "")
    assert History(folder.history_file, 2).generation == 2
