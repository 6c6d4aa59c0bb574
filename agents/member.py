"""A member of a population, as Ray Tune trains it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray import tune
from rich.console import Console

from spiral import usage
from spiral.agents.algorithm import resources_of
from spiral.checksums import damaged_files
from spiral.errors import InputError, ProcessError, SpiralError, reason
from spiral.evaluate import Evaluator
from spiral.population import PopulationConfig, PopulationFolder, Record
from spiral.report import Report
from spiral.run_folder import CHECKPOINT_FILES
from spiral.train import Training

POINTER = "member.json"  # all that Tune keeps of a checkpoint


@dataclass(frozen=True)
class Session:
    """What all members are told.

    Attributes:
        population: the settings.
        out: the population's folder, an absolute path that is the same on all machines.
        reached: of each member the record of the generation that the population goes on from; none at its beginning.
    """

    population: PopulationConfig
    out: str
    reached: list[Record]


class Member(tune.Trainable):
    """One step trains for a generation, from the member's last checkpoint or, after an exploit, from another's.

    Its checkpoints lie in its run's folder and cannot run code; of each Tune keeps no more than where it lies. Nothing
    is left in the process between two steps, so it can serve one member after the other. Its configuration is
    ``session``, ``learning_rate`` and ``entropy``; the name of the trial is the member's number.
    """

    @classmethod
    def default_resource_request(cls, config: dict[str, Any]) -> tune.PlacementGroupFactory:
        return resources_of(config["session"].population.run)

    def setup(self, config: dict[str, Any]) -> None:
        self._evaluator: Evaluator | None = None  # the same for all members
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._session: Session = new_config["session"]
        self._settings = {name: new_config[name] for name in ("learning_rate", "entropy")}
        self._number = int(self.trial_name)
        self._folder = PopulationFolder(self._session.out)
        self._origin, self._checkpoint = self._number, None
        return True

    def step(self) -> dict[str, Any]:
        """Train for a generation; its ``Record`` as a dict."""
        reached = self._session.reached
        if reached and self.iteration == 0:  # the population goes on: all are compared once more where it stopped
            record = reached[self._number]
            self._checkpoint = self._folder.checkpoint(record)
        else:
            record = self._record(self.iteration + (reached[0].generation if reached else 1))
        self._origin = self._number
        return {**dataclasses.asdict(record), "rank": record.rank}

    def _record(self, generation: int) -> Record:
        if self._origin != self._number and self._checkpoint is not None:
            self._take_over()
        fitness, remark = None, ""
        try:
            fitness, remark = self._train(generation / self._session.population.generations)
        except (InputError, ProcessError):
            raise
        except SpiralError as error:  # gradients that are not finite, say: the worst of all goes on from a better one
            remark = f"broke down: {reason(error)}"
        return Record(
            generation=generation,
            member=self._number,
            origin=self._origin,
            **self._settings,
            env_steps=None if self._checkpoint is None else int(self._checkpoint.name),
            fitness=fitness,
            remark=remark,
        )

    def _take_over(self) -> None:
        """Make another's checkpoint the newest one in this member's folder."""
        damaged = damaged_files(self._checkpoint, CHECKPOINT_FILES)
        if damaged:
            raise InputError(f"{self._checkpoint} is damaged: {', '.join(damaged)} is not as it was written")
        folder = self._folder.member(self._number)
        for own in folder.checkpoint_folders():
            if own.name > self._checkpoint.name:
                shutil.rmtree(own)
        with folder.new_checkpoint(int(self._checkpoint.name)) as beside:
            for name in CHECKPOINT_FILES:
                shutil.copyfile(self._checkpoint / name, beside / name)
        shutil.copyfile(self._folder.member(self._origin).metrics_file, folder.metrics_file)
        self._checkpoint = folder.checkpoints / self._checkpoint.name

    def _train(self, until: float) -> tuple[float, str]:
        """Train until so much of the budget is over, 0..1; fitness and remark."""
        population = self._session.population
        run = population.member(self._number, **self._settings)
        folder = self._folder.member(self._number)
        if self._evaluator is None:
            self._evaluator = Evaluator(run, split="train")  # those held out are for the best of all, at the end
        with contextlib.closing(
            Training(
                run,
                folder,
                Report(Console(quiet=True)),
                self._checkpoint,
                evaluator=self._evaluator,
                cpu_began=usage.cpu_seconds(),
                iteration_s=0.0,  # a generation ends with the same rollout on machines of any speed
            )
        ) as training:
            while training.progress < until:
                training.step()
            training.save()
            self._checkpoint = folder.newest_checkpoint()
            metrics = training.evaluate()
        sign = self._evaluator.collapse(metrics)
        return metrics[population.fitness], "" if sign is None else f"collapsed: {sign}"

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        pointer = {"member": self._number, "checkpoint": self._checkpoint and self._checkpoint.name}
        (Path(checkpoint_dir) / POINTER).write_text(json.dumps(pointer))

    def load_checkpoint(self, checkpoint: str) -> None:
        pointer = json.loads((Path(checkpoint) / POINTER).read_text())
        self._origin = pointer["member"]
        if pointer["checkpoint"] is not None:
            self._checkpoint = self._folder.member(self._origin).checkpoints / pointer["checkpoint"]
