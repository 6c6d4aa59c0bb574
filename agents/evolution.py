"""Population-based training by Ray Tune's own scheduler (Jaderberg et al. 2017, arXiv 1711.09846)."""

from __future__ import annotations

import logging
import os
import random
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from ray import tune
from ray.tune.schedulers import PopulationBasedTraining
from ray.tune.search import BasicVariantGenerator

from spiral.agents.member import Member, Session
from spiral.errors import SpiralError
from spiral.population import SETTINGS, Record

SHARE = 0.25  # of the members: so many of the worst go on, after each generation, from one of as many best
RETRIES = 3  # of a member whose process dies
# Tune's own tables, notes of each member and tracebacks are not wanted.
ENVIRONMENT = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
}


class Watch:
    """What is told of a population while it trains."""

    def reached(self, record: Record) -> None:
        """A member has reached the end of a generation."""

    def tick(self) -> None:
        """Nothing, some time later."""

    def failed(self, member: int, reason: str) -> None:
        """A member's process died, or could not go on; it begins its generation again."""


def evolve(session: Session, beginnings: list[dict[str, float]], notes: Path, watch: Watch) -> None:
    """Train all members to their end, or until Ctrl-C.

    All wait for each other at the end of a generation. So they are compared after equally long training, and any number
    of them can take turns on the processors there are.

    Args:
        session: what all members are told.
        beginnings: of each member the learning_rate and entropy.
        notes: folder for Tune's own notes, which are pickled; nothing here reads them.
        watch: is told of it.

    Raises:
        SpiralError: a member failed.
    """
    population = session.population
    first = session.reached[0].generation if session.reached else 1
    os.environ.update(ENVIRONMENT)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # after Ctrl-C it says which members were not finished
    _seed_tune(population.run.seed, first)
    drawn = {name: tune.loguniform(*getattr(population, name)) for name in SETTINGS}
    trials = [{"member": number, **settings} for number, settings in enumerate(beginnings)]
    tune.Tuner(
        Member,
        param_space={"session": session, "member": tune.choice(range(population.members)), **drawn},
        tune_config=tune.TuneConfig(
            scheduler=PopulationBasedTraining(
                time_attr="training_iteration",
                metric="rank",
                mode="min",
                perturbation_interval=1,
                hyperparam_mutations=drawn,
                custom_explore_fn=population.within,
                quantile_fraction=SHARE,
                log_config=False,
                synch=True,
            ),
            search_alg=BasicVariantGenerator(points_to_evaluate=trials),
            num_samples=population.members,
            reuse_actors=True,
            trial_name_creator=lambda trial: str(trial.config["member"]),
            trial_dirname_creator=lambda trial: str(trial.config["member"]),
        ),
        run_config=tune.RunConfig(
            name=notes.name,
            storage_path=str(notes.parent.absolute()),
            stop={"generation": population.generations},
            failure_config=tune.FailureConfig(max_failures=RETRIES),
            callbacks=[_Callback(watch)],
            verbose=0,
        ),
    ).fit()


def _seed_tune(seed: int, generation: int) -> None:
    """Tune draws from the random numbers that Python and NumPy have for all."""
    random.seed(f"{seed} {generation}")
    np.random.seed((seed + generation) % 2**32)


class _Callback(tune.Callback):
    def __init__(self, watch: Watch):
        self._watch = watch

    def __getstate__(self) -> dict[str, Any]:
        return {}  # of Tune's notes, which are not read

    def on_trial_result(self, iteration, trials, trial, result, **info) -> None:
        self._watch.reached(Record(**{field.name: result[field.name] for field in fields(Record)}))

    def on_step_end(self, iteration, trials, **info) -> None:
        self._watch.tick()

    def on_trial_recover(self, iteration, trials, trial, **info) -> None:
        self._watch.failed(int(trial.custom_trial_name), _last_error(trial))

    def on_trial_error(self, iteration, trials, trial, **info) -> None:
        # Ends it all: the others would wait, train and be compared without this one.
        raise SpiralError(f"member {trial.custom_trial_name}: {_last_error(trial)}")


def _last_error(trial) -> str:
    return Path(trial.error_file).read_text().strip().splitlines()[-1]
