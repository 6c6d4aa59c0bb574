"""A population from settings to its best painter: members in turns, compared after each generation."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import shutil
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from spiral.checksums import damaged_files
from spiral.errors import InputError, SpiralError, reason
from spiral.evaluate import evaluate_file
from spiral.history_picture import draw_history
from spiral.last_words import last_words
from spiral.population import SETTINGS, History, PopulationConfig, PopulationFolder, Record
from spiral.ray_session import quiet_ray, ray_session
from spiral.report import Report
from spiral.run_folder import STATE_FILE, RunFolder
from spiral.state_file import load_state, save_state
from spiral.train import checked

if TYPE_CHECKING:
    from spiral.agents.shared_discriminator import SharedDiscriminator

TITLES = {"frechet_ratio": "Fréchet ratio", "squared_error": "squared error"}


def tune(
    population: PopulationConfig,
    out: str | os.PathLike,
    *,
    resume: bool = False,
    address: str | None = None,
    report: Report | None = None,
) -> PopulationFolder:
    """Train a population until its budget is over, or Ctrl-C; the best painter is in ``best`` of its folder.

    Args:
        population: the settings; with ``resume`` those of the folder.
        out: the population's folder; a new one, or with ``resume`` one to go on with. All machines of a cluster must
            have it at the same path.
        resume: go on from the last generation that all members have reached the end of.
        address: of a Ray cluster; None starts Ray on this machine.
        report: where progress is shown.

    Raises:
        InputError: settings, pictures or the folder do not fit; nothing was started.
        SpiralError: Ray or a member failed; the message says how to go on.
    """
    from spiral.digit_classifier import DigitClassifier

    checked(population.run)
    check_discriminator(population)
    if address is not None and address.startswith("ray://"):
        raise InputError(f"a population runs on a machine of its cluster, got --address {address}; submit it as a job")
    folder = PopulationFolder(out)
    if not resume:
        folder.check_free()
    history = History(folder.history_file, population.members)
    if history.generation >= population.generations:
        raise InputError(
            f"the population in {folder.path} has reached its end; to train its best painter on: "
            f"spiral train --resume --out {folder.best} --minutes 20"
        )
    with report or Report() as shown:
        began = time.monotonic()
        DigitClassifier.load_or_train(
            lambda done, of: shown.show(done / of, time.monotonic() - began, "first, once: the digit classifier")
        )
        with (
            ray_session(population.run, address, _cpus(population)),
            last_words(
                f"Error: the population was killed, or Ray ended it because its node was lost; go on with: {_resume(folder)}"
            ),
        ):
            Tuning(population, folder, history, shown).loop()
    return folder


def _resume(folder: PopulationFolder) -> str:
    return f"spiral tune --resume --out {folder.path}"


def check_discriminator(population: PopulationConfig) -> None:
    """See that there is a discriminator to share, if one is to be shared.

    Raises:
        InputError: there is none.
    """
    quiet_ray()
    from spiral.agents.algorithm import SpiralConfig

    if population.shared_discriminator and not SpiralConfig.from_run(population.run).has_discriminator:
        raise InputError(
            f"objective {population.run.objective.name} has no discriminator to share; leave --shared-discriminator out"
        )


def _cpus(population: PopulationConfig) -> int:
    """Those of this machine, and no fewer than a member asks for; the shared discriminator's come on top."""
    from spiral.agents.algorithm import resources_of

    of_members = max(os.cpu_count() or 1, resources_of(population.run).required_resources["CPU"])
    return math.ceil(of_members + population.shared_discriminator * population.run.discriminator.num_cpus)


class Tuning:
    """A population in training; an ``agents.evolution.Watch``.

    Args:
        population: the settings.
        folder: where everything is written.
        history: to go on from.
        report: where progress is shown.
    """

    def __init__(self, population: PopulationConfig, folder: PopulationFolder, history: History, report: Report):
        self.population, self.folder, self.history, self.report = population, folder, history, report
        self._shared: SharedDiscriminator | None = None
        self._began = time.monotonic()
        folder.write_config(population)
        folder.forget_unfinished(history)
        report.say(
            f"{population.members} members in {folder.path}: {population.run.data}, objective "
            f"{population.run.objective.name}, {population.generations} generations, learning rate "
            f"{population.learning_rate[0]:.2g} to {population.learning_rate[1]:.2g}, entropy "
            f"{population.entropy[0]:.2g} to {population.entropy[1]:.2g}, seed {population.run.seed}"
        )
        if history.generation:
            report.say(f"Going on from generation {history.generation} of {population.generations}")
        self._reached_before = len(history.records)

    def loop(self) -> None:
        """Train until the end, or Ctrl-C.

        Raises:
            SpiralError: a member failed; the message says how to go on.
        """
        from spiral.agents.evolution import evolve
        from spiral.agents.member import Session

        reached = self.history.of(self.history.generation)
        beginnings = [
            {name: getattr(record, name) for name in SETTINGS} for record in reached
        ] or self.population.beginnings()
        with self._discriminator() as population:
            session = Session(population, str(self.folder.path.absolute()), reached)
            try:
                evolve(session, beginnings, self.folder.tune, self)
            except Exception as error:
                raise SpiralError(
                    f"the population failed ({reason(error)}); go on with: {_resume(self.folder)}"
                ) from error
            finally:
                shutil.rmtree(self.folder.tune, ignore_errors=True)
        self._conclude()

    @contextlib.contextmanager
    def _discriminator(self) -> Iterator[PopulationConfig]:
        """The population as its members are to know it, while the discriminator runs that they share, if they do."""
        from spiral.agents.shared_discriminator import SharedDiscriminator

        if not self.population.shared_discriminator:
            yield self.population
            return
        run, name = self.population.run, str(self.folder.path.absolute())
        self._shared = SharedDiscriminator(run.scoring, name, self._state_of_discriminator())
        try:
            sharing = dataclasses.replace(run, discriminator=dataclasses.replace(run.discriminator, shared=name))
            yield dataclasses.replace(self.population, run=sharing)
        finally:
            self._shared.stop()

    def _state_of_discriminator(self) -> dict[str, Any] | None:
        """Of the shared one as it was when the last generation ended; None before the first."""
        if not self.history.generation:
            return None
        checkpoint = self.folder.discriminator.checkpoints / f"{self.history.generation:012d}"
        if damaged := damaged_files(checkpoint, [STATE_FILE]):
            raise InputError(
                f"{checkpoint} is damaged: {damaged[0]} is not as it was written, or is missing; begin a new population "
                "in another folder (--out). Its painters can still paint"
            )
        return load_state(checkpoint / STATE_FILE)

    def _save_discriminator(self, generation: int) -> None:
        """Write the state of the shared one. Nobody trains now: the last member has just reached the generation's end."""
        with self.folder.discriminator.new_checkpoint(generation) as beside:
            save_state(beside / STATE_FILE, self._shared.get_state())

    def reached(self, record: Record) -> None:
        if record in self.history.records:  # where a population goes on from
            return
        if self._shared is not None and len(self.history.of(record.generation)) == self.population.members - 1:
            self._save_discriminator(record.generation)  # before the record says that the generation is whole
        self.history.add(record)
        self.tick()
        if self.history.generation == record.generation:
            self.report.say("\n".join(self._table(record.generation)))
            if best := self.history.best():
                self.folder.point_to_best(best)

    def tick(self) -> None:
        population, history = self.population, self.history
        of = population.members * population.generations
        done, seconds = len(history.records), time.monotonic() - self._began
        new = done - self._reached_before
        finished = len(history.of(history.generation + 1))
        figures = f"generation {history.generation + 1}: {finished} of {population.members} members"
        if best := history.best():
            figures += f", best {TITLES[population.fitness]} {best.fitness:.3g}"
        self.report.show(done / of, seconds, figures, seconds / new * (of - done) if new else None)

    def failed(self, member: int, reason: str) -> None:
        self.report.say(f"WARNING: member {member} failed ({reason}); it begins its generation again")

    def _table(self, generation: int) -> list[str]:
        title = TITLES[self.population.fitness]
        best = self.history.best()
        lines = [
            f"generation {generation} of {self.population.generations}",
            f"  member        steps{_heads(title)}",
        ]
        for record in self.history.of(generation):
            remarks = [record.remark] if record.remark else []
            if record.origin != record.member:
                remarks.insert(0, f"went on from member {record.origin}")
            if record == best:
                remarks.insert(0, "best")
            lines.append(
                f"  {record.member:6}  {record.env_steps or 0:11,}{_figures(record)}  {', '.join(remarks)}".rstrip()
            )
        return lines

    def _conclude(self) -> None:
        """Say what came of it, and draw it."""
        population, history, say = self.population, self.history, self.report.say
        best, title = history.best(), TITLES[population.fitness]
        if best is not None:
            draw_history(history, history.lineage(best), title, self.folder.picture)
        if history.generation < population.generations:
            say(f"Interrupted after generation {history.generation} of {population.generations}.")
            say(f"Go on with: {_resume(self.folder)}")
            return
        if best is None:
            raise SpiralError(
                f"no member trained to the end, the first of them {history.of(history.generation)[0].remark}; begin anew with a lower --learning-rate"
            )
        say(f"Done after {(time.monotonic() - self._began) / 60:.1f} minutes. What led to the best painter:")
        say(f"  generation  member{_heads(title)}")
        for record in history.lineage(best):
            say(f"  {record.generation:10}  {record.member:6}{_figures(record)}")
        held_out = evaluate_file(str(self.folder.best))[population.fitness]
        say(f"On held-out pictures, by which nothing was chosen: {title} {held_out:.4f}")
        say(f"Look at {self.folder.picture} and {RunFolder(self.folder.best).sheet}")
        say(f"Paint with it: spiral paint {self.folder.best}")


def _heads(title: str) -> str:
    return f"  learning rate  entropy  {title:>13}"


def _figures(record: Record) -> str:
    fitness = "-" if record.fitness is None else f"{record.fitness:.4f}"
    return f"  {record.learning_rate:13.2e}  {record.entropy:7.4f}  {fitness:>13}"
