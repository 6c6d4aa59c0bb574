"""A population: its settings, its folder, and what became of its members, generation by generation."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spiral import checks, config
from spiral.config import LIMITS, RunConfig
from spiral.errors import InputError, WriteError
from spiral.files import written_whole
from spiral.run_folder import DEFAULT_PRESET, RunFolder, run_from_options

MOST_MEMBERS, MOST_GENERATIONS = 1000, 10_000
DEFAULT_MEMBERS, DEFAULT_GENERATIONS = 4, 10
# Without a cluster there are more members than processors: each is one process, and they take turns.
ONE_PROCESS = ("num_env_runners=0", "discriminator.remote=false")
SETTINGS = ("learning_rate", "entropy")  # of the learner, that the members look for
SPREAD = (
    5.0  # of a range nobody gave: so many times less to so many times more than the preset has; SPIRAL++'s are as wide
)


@dataclass(frozen=True)
class PopulationConfig:
    """What a population is: runs of the same settings but for two, which it looks for.

    Attributes:
        run: settings and budget of each member.
        members: how many there are.
        generations: how many equal parts a member's budget has; after each the members are compared.
        learning_rate, entropy: lowest and highest value of these settings of the learner.
        shared_discriminator: all have one discriminator (SPIRAL++); otherwise each has its own.
    """

    run: RunConfig
    members: int
    generations: int
    learning_rate: tuple[float, float]
    entropy: tuple[float, float]
    shared_discriminator: bool = False

    @classmethod
    def around(
        cls,
        run: RunConfig,
        members: int,
        generations: int,
        learning_rate: tuple[float, float] | None = None,
        entropy: tuple[float, float] | None = None,
        shared_discriminator: bool = False,
    ) -> PopulationConfig:
        """A population of such runs; a range that is None lies around the value the run has.

        Raises:
            InputError: a number is out of range.
        """
        return cls(
            run,
            checks.integer(members, "--population", 2, MOST_MEMBERS),
            checks.integer(generations, "--generations", 2, MOST_GENERATIONS),
            _range(learning_rate, run.learner.learning_rate, "learning_rate"),
            _range(entropy, run.learner.entropy, "entropy"),
            checks.boolean(shared_discriminator, "shared_discriminator"),
        )

    @property
    def fitness(self) -> str:
        """The metric by which members are compared, lower is better. No discriminator, each one's own, has a say in it."""
        return "squared_error" if self.run.env.target else "frechet_ratio"

    def beginnings(self) -> list[dict[str, float]]:
        """learning_rate and entropy that each member begins with: the run's own, and then any, log-uniformly drawn."""
        rng = np.random.default_rng(self.run.seed)
        drawn = [
            {name: math.exp(rng.uniform(*np.log(getattr(self, name)))) for name in SETTINGS}
            for _ in range(self.members)
        ]
        return [self.within({name: getattr(self.run.learner, name) for name in SETTINGS}), *drawn[1:]]

    def within(self, settings: dict[str, Any]) -> dict[str, Any]:
        """The same with learning_rate and entropy moved into their ranges."""
        ranges = {name: getattr(self, name) for name in SETTINGS}
        return settings | {name: min(max(settings[name], low), high) for name, (low, high) in ranges.items()}

    def member(self, number: int, learning_rate: float, entropy: float) -> RunConfig:
        """The settings of one member with these two."""
        learner = dataclasses.replace(self.run.learner, learning_rate=learning_rate, entropy=entropy)
        return dataclasses.replace(self.run, learner=learner, seed=(self.run.seed + number) % 2**32)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PopulationConfig:
        """The population whose ``to_dict`` this is.

        Raises:
            InputError: a value is missing, unknown, or not accepted.
        """
        try:
            return cls.around(**values | {"run": config.from_dict(values["run"])})
        except (KeyError, TypeError) as error:
            raise InputError(f"a setting is missing or unknown ({error})") from None


def _range(given: Any, value: float, name: str) -> tuple[float, float]:
    """A range of a setting of the learner, checked; around its value where none is given."""
    most = LIMITS[f"learner.{name}"][1]
    option = f"--{name.replace('_', '-')}"
    if given is None:
        given = (value / SPREAD, min(most, value * SPREAD))
    low, high = checks.numbers_of(given, option, ("lowest", "highest"), 0.0, most)
    if not 0 < low <= high:
        raise InputError(f"{option} must be two numbers above 0, the lowest and the highest, got {low:g} {high:g}")
    return low, high


@dataclass(frozen=True)
class Record:
    """A member at the end of a generation.

    Attributes:
        generation: from 1.
        member: from 0.
        origin: the member whose painter it went on from: itself, or one that was better.
        learning_rate, entropy: that it was trained with in this generation.
        env_steps: that its painter has been trained for; its checkpoint's name. None: there is no checkpoint yet.
        fitness: lower is better; None: its training broke down.
        remark: what is wrong with it; empty if nothing is.
    """

    generation: int
    member: int
    origin: int
    learning_rate: float
    entropy: float
    env_steps: int | None
    fitness: float | None
    remark: str = ""

    @property
    def rank(self) -> float:
        """The fitness; infinite where training broke down."""
        return math.inf if self.fitness is None else self.fitness


class History:
    """All records of a population, in a file: one JSON object a line.

    Args:
        path: of the file.
        members: how many there are.
    """

    def __init__(self, path: Path, members: int):
        self._path, self.members = path, members
        self._recall(_read(path))

    def _recall(self, records: Iterable[Record]) -> None:
        self.records: list[Record] = []
        self.generation = 0  # the last one that all members have reached the end of
        self._of: dict[int, dict[int, Record]] = {}  # by generation and member
        for record in records:
            self._take(record)

    def _take(self, record: Record) -> None:
        self.records.append(record)
        self._of.setdefault(record.generation, {})[record.member] = record
        while len(self._of.get(self.generation + 1, ())) == self.members:
            self.generation += 1

    def add(self, record: Record) -> None:
        """Append one.

        Raises:
            WriteError: it cannot be written.
        """
        try:
            with self._path.open("a") as file:
                file.write(json.dumps(dataclasses.asdict(record)) + "\n")
        except OSError as error:
            raise WriteError(f"cannot write {self._path}: {error.strerror}") from None
        self._take(record)

    def of(self, generation: int) -> list[Record]:
        """Those of one generation, by member."""
        return [record for _, record in sorted(self._of.get(generation, {}).items())]

    def cut(self) -> None:
        """Forget what is later than that.

        Raises:
            WriteError: the file cannot be written.
        """
        self._recall([one for one in self.records if one.generation <= self.generation])
        with written_whole(self._path) as beside:
            beside.write_text("".join(json.dumps(dataclasses.asdict(one)) + "\n" for one in self.records))

    def best(self) -> Record | None:
        """The member with the lowest fitness of the last generation that all have reached; None if none is of use."""
        best = min(self.of(self.generation), key=lambda one: one.rank, default=None)
        return None if best is None or best.fitness is None else best

    def lineage(self, last: Record) -> list[Record]:
        """The records, from the first generation on, of the painters that led to this one."""
        line = [last]
        while line[0].generation > 1:
            before = self.of(line[0].generation - 1)
            line.insert(0, before[line[0].origin])
        return line


def _read(path: Path) -> Iterator[Record]:
    """The records of a file; lines that are no JSON, such as a last one cut short by a crash, are left out.

    Raises:
        InputError: something else is in it.
    """
    if path.exists():
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            try:
                with contextlib.suppress(json.JSONDecodeError):
                    yield Record(**json.loads(line))
            except TypeError as error:
                raise InputError(f"cannot read {path}: line {number} is no record of a member ({error})") from None


class PopulationFolder:
    """Paths in a population's folder.

    ``population.json``, ``history.jsonl``, ``history.png``; ``members/0``, ...: a run's folder each; ``best``: a link to
    the best of them; ``discriminator/checkpoints``: of the one that all share.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        self.config_file = self.path / "population.json"
        self.history_file = self.path / "history.jsonl"
        self.picture = self.path / "history.png"
        self.best = self.path / "best"
        self.discriminator = RunFolder(self.path / "discriminator")
        self.tune = self.path / ".tune"  # Ray Tune's own notes, of no use when it has ended; nothing here reads them

    def check_free(self) -> None:
        """See that a new population may begin here.

        Raises:
            InputError: there is one in it already, or a run, or it cannot be written.
        """
        if self.config_file.exists():
            raise InputError(
                f"there is a population in {self.path} already; go on with it by --resume, or give another folder by --out"
            )
        RunFolder(self.path).check_free()

    def write_config(self, population: PopulationConfig) -> None:
        """Write down the settings; makes the folder where it is missing.

        Raises:
            WriteError: it cannot be written.
        """
        with written_whole(self.config_file) as beside:
            beside.write_text(json.dumps(population.to_dict(), indent=2) + "\n")

    def read_config(self) -> PopulationConfig:
        """The settings the population was started with.

        Raises:
            InputError: there is no population here, or its settings cannot be read.
        """
        try:
            return PopulationConfig.from_dict(json.loads(self.config_file.read_text()))
        except FileNotFoundError:
            raise InputError(
                f"there is no population in {self.path} (no population.json); start one without --resume"
            ) from None
        except (OSError, ValueError) as error:
            raise InputError(f"cannot read the population's settings in {self.config_file}: {error}") from None

    def member(self, number: int) -> RunFolder:
        """The folder of one member."""
        return RunFolder(self.path / "members" / str(number))

    def checkpoint(self, record: Record) -> Path | None:
        """That of a member at the end of a generation; None: it has none."""
        if record.env_steps is None:
            return None
        return self.member(record.member).checkpoints / f"{record.env_steps:012d}"

    def point_to_best(self, record: Record) -> None:
        """Have ``best`` lead to this member.

        Raises:
            WriteError: the link cannot be made.
        """
        beside = self.path / ".best"
        try:
            beside.unlink(missing_ok=True)
            beside.symlink_to(self.member(record.member).path.relative_to(self.path))
            beside.replace(self.best)
        except OSError as error:
            raise WriteError(f"cannot write {self.best}: {error.strerror}") from None

    def forget_unfinished(self, history: History) -> None:
        """Remove what members did after the last generation that all have reached the end of."""
        history.cut()
        kept = {self.checkpoint(record) for record in history.records}
        for number in range(history.members):
            for checkpoint in self.member(number).checkpoint_folders():
                if checkpoint not in kept:
                    shutil.rmtree(checkpoint)


def population_from_options(
    preset: str | None,
    out: str | None,
    resume: bool,
    settings: Sequence[str],
    address: str | None,
    members: int | None,
    generations: int | None,
    learning_rate: tuple[float, float] | None,
    entropy: tuple[float, float] | None,
    shared_discriminator: bool,
    **of_run: Any,
) -> tuple[PopulationConfig, Path]:
    """The population and folder a user asked for: a preset's with what was said on top, or a resumed one's.

    Args:
        of_run: ``data``, ``minutes``, ``env_steps``, ``cpu_seconds``, ``seed``, as of ``run_from_options``.

    Raises:
        InputError: they do not go together, or one is not accepted.
    """
    path = Path(out or f"runs/{preset or DEFAULT_PRESET}-population")
    if resume:
        given = (preset, members, generations, learning_rate, entropy, *of_run.values())
        if settings or shared_discriminator or any(value is not None for value in given):
            raise InputError("--resume goes on with the population's own settings; give --out and --address alone")
        return PopulationFolder(path).read_config(), path
    on_top = [*(() if address else ONE_PROCESS), *settings]
    run, _ = run_from_options(preset, None, False, settings=on_top, **of_run)
    members = DEFAULT_MEMBERS if members is None else members
    generations = DEFAULT_GENERATIONS if generations is None else generations
    ranges = (learning_rate, entropy)
    return PopulationConfig.around(run, members, generations, *ranges, shared_discriminator), path
