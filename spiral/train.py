"""One training run, from settings to a folder with checkpoints, metrics, sample sheets and stroke programs."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from spiral import usage
from spiral.config import RunConfig
from spiral.datasets import load_pictures
from spiral.datasets.split import SPLITS
from spiral.errors import InputError, ProcessError, SpiralError, WriteError, reason
from spiral.evaluate import Evaluator
from spiral.last_words import last_words
from spiral.log import MetricsLog
from spiral.paint import paint
from spiral.pictures import save_png
from spiral.ray_session import native_errors_held_back, ray_session
from spiral.replay_file import writer_for
from spiral.report import Report
from spiral.run_folder import PAINTER_FILE, STATE_FILE, RunFolder
from spiral.state_file import load_state, save_state

SHOWN_PROGRAMS = 10  # stroke programs left in the run's folder at the end


def train(
    run: RunConfig,
    out: str | os.PathLike,
    *,
    resume: bool = False,
    address: str | None = None,
    report: Report | None = None,
) -> RunFolder:
    """Train until the run's budget is over, or Ctrl-C; either way a checkpoint is left to go on from.

    Args:
        run: the settings.
        out: the run's folder; a new one, or with ``resume`` one to go on with.
        resume: go on from the newest checkpoint; from the beginning where there is none yet.
        address: of a Ray cluster; None starts Ray on this machine.
        report: where progress is shown.

    Raises:
        InputError: settings, pictures, the folder or its checkpoint do not fit; nothing was started.
        SpiralError: Ray or a process of the run failed; the message names the checkpoint to go on from.
    """
    run = checked(run)
    folder = RunFolder(out)
    if not resume:
        folder.check_free()
    checkpoint = folder.checkpoint_to_go_on_from() if resume else None
    with (
        report or Report() as shown,
        ray_session(run, address),
        last_words(
            f"Error: the run was killed, or Ray ended it because its node was lost; go on with: {_resume(folder)}"
        ),
    ):
        cpu_began = 0.0
        while not _trained(run, folder, shown, checkpoint, cpu_began):
            checkpoint, cpu_began = folder.checkpoint_to_go_on_from(), usage.cpu_seconds()
    return folder


def _trained(run: RunConfig, folder: RunFolder, report: Report, checkpoint: Path | None, cpu_began: float) -> bool:
    """Train from a checkpoint on; whether to the end. Else a process was lost, and there is a newer checkpoint.

    Raises:
        SpiralError: the run failed, or a process was lost before the first new checkpoint.
    """
    with contextlib.closing(Training(run, folder, report, checkpoint, cpu_began=cpu_began)) as training:
        try:
            training.loop()
        except ProcessError as error:
            if folder.newest_checkpoint() == checkpoint:
                raise
            report.say(f"WARNING: {error.__cause__}. Going on from the last checkpoint")
            return False
    return True


def _resume(folder: RunFolder) -> str:
    return f"spiral train --resume --out {folder.path}"


def checked(run: RunConfig) -> RunConfig:
    """The run with every part tried that can be tried before Ray is started.

    Raises:
        InputError: a part does not fit the others, or there are no such pictures.
    """
    from spiral.agents.objectives import check_objective
    from spiral.agents.painter import Painter
    from spiral.envs.options import env_config

    if run.env_steps is None and run.minutes is None and run.cpu_seconds is None:
        raise InputError("a run needs an end: set env_steps, minutes or cpu_seconds")
    run_env = env_config(run.env, {})
    check_objective(run.objective.name, run_env)
    if run_env.reward == "l2" and not run_env.target:
        raise InputError(
            "env.reward=l2 compares paintings with given pictures, and this run gives none; set env.target=true"
        )
    Painter(run.painter, run_env)
    for split in SPLITS:
        pictures = load_pictures(run.data, split, **run_env.picture)
        if split == "train":
            pictures.of_each(run_env.classes)
        elif run_env.classes:
            pictures.labels_of(run_env.classes)
    return run


class Training:
    """A run in progress.

    Args:
        run: the settings.
        folder: where everything is written.
        report: where progress is shown.
        checkpoint: to go on from.
        evaluator: of painters of this run; a new one if None.
        cpu_began: CPU seconds that this process had spent on other work when the run began in it.
        iteration_s: least duration of a ``step``, at whose ends alone the run is looked at.
    """

    def __init__(
        self,
        run: RunConfig,
        folder: RunFolder,
        report: Report,
        checkpoint: Path | None,
        *,
        evaluator: Evaluator | None = None,
        cpu_began: float = 0.0,
        iteration_s: float = 1.0,
    ):
        from spiral.agents.algorithm import SpiralConfig

        self.run, self.folder, self.report = run, folder, report
        state = load_state(checkpoint / STATE_FILE) if checkpoint else None
        report.say(f"Training in {folder.path}: {run.data}, objective {run.objective.name}, seed {run.seed}")
        began = time.monotonic()
        self.evaluator = evaluator or Evaluator(
            run,
            progress=lambda done, of: report.show(
                done / of, time.monotonic() - began, "first, once: the digit classifier that measures"
            ),
        )
        report.show(0.0, 0.0, "starting Ray's processes")
        with native_errors_held_back():
            self.algorithm = SpiralConfig.from_run(run).training(iteration_s=iteration_s).build_algo()
        self._began = time.monotonic()
        self.env_steps = self._steps_before = 0
        self._seconds_before, self._cpu_before, self._cpu_began = 0.0, 0.0, cpu_began
        with contextlib.ExitStack() as unless_it_begins:
            unless_it_begins.callback(self.algorithm.stop)
            if state is not None:
                self._restore(state)
            folder.write_config(run)  # not before: settings that the checkpoint does not fit must not stay
            self.log = MetricsLog(folder, self.env_steps)
            unless_it_begins.pop_all()
        self._evaluated: dict[str, float] = {}
        self._runners_lost = 0

    def loop(self) -> None:
        """Train, evaluate and write checkpoints until the run is over or interrupted."""
        try:
            self._train()
            self._leave_paintings()
        except Exception as error:
            raise self._failure(error) from error
        done = "Interrupted" if self.progress < 1 else "Done"
        self.report.say(
            f"{done} after {self.env_steps:,} steps and {self.seconds / 60:.1f} minutes "
            f"({self.cpu_seconds:.0f} CPU seconds). Look at {self.folder.sheet}"
        )
        if self.progress < 1:
            self.report.say(f"Go on with: {_resume(self.folder)}")

    def _train(self) -> None:
        next_evaluation = self.seconds + 60 * self.run.evaluate_minutes
        over = self.progress >= 1
        with _interruptible() as interrupted:
            while not over:
                self.step()
                over = self.progress >= 1 or interrupted()
                if over or self.seconds >= next_evaluation:
                    for write in (self.save, self.evaluate):
                        self._try(write, last=over)
                    next_evaluation = self.seconds + 60 * self.run.evaluate_minutes

    def _try(self, write: Callable[[], None], last: bool) -> None:
        """Write something. What fails then, on a full disk say, ends no night's training: the next time may be better."""
        try:
            write()
        except WriteError as error:
            if last:
                raise
            self.report.say(
                f"WARNING: {error}. Training goes on, and it is tried again in {self.run.evaluate_minutes:g} minutes; "
                "make room until then"
            )

    @property
    def seconds(self) -> float:
        """Of the whole run so far, those before an interruption included."""
        return self._seconds_before + time.monotonic() - self._began

    @property
    def cpu_seconds(self) -> float:
        """User and system seconds of all the run's processes on this machine so far."""
        return self._cpu_before + usage.cpu_seconds() - self._cpu_began

    @property
    def progress(self) -> float:
        """How much of the run is over, 0..1: of whichever budget is used up the most."""
        run, used = self.run, [0.0]
        if run.env_steps:
            used.append(self.env_steps / run.env_steps)
        if run.minutes:
            used.append(self.seconds / (60 * run.minutes))
        if run.cpu_seconds:  # not asked for otherwise: it looks at every process of the machine
            used.append(self.cpu_seconds / run.cpu_seconds)
        return min(1.0, max(used))

    def step(self) -> None:
        """Train for an iteration."""
        self.algorithm.set_progress(self.progress)
        row = self.algorithm.train_metrics()
        self._say_runners(int(row["runners_lost"]))
        self.env_steps = int(row.get("env_steps_trained", self.env_steps))
        row |= {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds}
        with contextlib.suppress(WriteError):  # a row is lost; what matters is warned of with the next checkpoint
            self.log.write(self.env_steps, row)
        speed = (self.env_steps - self._steps_before) / (self.seconds - self._seconds_before)
        figures = f"{self.env_steps:,} steps, {speed:,.0f}/s"
        if "squared_error" in self._evaluated:
            figures += f", squared error {self._evaluated['squared_error']:.4f}"
        elif self._evaluated:
            figures += f", Fréchet ratio {self._evaluated['frechet_ratio']:.2f}"
        self.report.show(self.progress, self.seconds, figures)

    def _say_runners(self, lost: int) -> None:
        """Say when the number of runners that paint has changed."""
        before, self._runners_lost = self._runners_lost, lost
        of_all = f"of {self.run.num_env_runners} runners"
        if lost > before:
            self.report.say(f"WARNING: {lost} {of_all} lost. Training goes on with the rest, and Ray starts them again")
        elif lost < before:
            self.report.say(f"{self.run.num_env_runners - lost} {of_all} paint again")

    def _failure(self, error: Exception) -> SpiralError:
        go_on = (
            f"go on from its last checkpoint with: {_resume(self.folder)}"
            if self.folder.newest_checkpoint()
            else "it had no checkpoint yet"
        )
        kind = ProcessError if isinstance(error, ProcessError) else SpiralError
        return kind(f"the run failed at {self.env_steps:,} steps ({reason(error)}); {go_on}")

    def evaluate(self) -> dict[str, float]:
        """Measure the painter as it is now, and leave a sheet of what it painted.

        Raises:
            WriteError: something cannot be written.
        """
        metrics, paintings = self.evaluator(self._painter())
        self._evaluated = metrics
        self.report.say(f"{self.env_steps:>10,} steps  {_summary(metrics)}")
        if sign := self.evaluator.collapse(metrics):
            self.report.say(
                f"WARNING: the painter has collapsed: {sign}. It may come out of it again; where it does not, begin anew "
                f"with a larger learner.entropy (now {self.run.learner.entropy:g}) or another seed"
            )
        self.log.write(self.env_steps, metrics | {"seconds": self.seconds, "cpu_seconds": self.cpu_seconds})
        sheet = self.evaluator.sheet(paintings)
        self.log.picture(self.env_steps, "samples", sheet)
        save_png(sheet, self.folder.samples / f"{self.env_steps:012d}.png")
        save_png(sheet, self.folder.sheet)
        return metrics

    def _painter(self):
        """The painter with its averaged weights, in this process."""
        import torch

        from spiral.agents.painter import Painter

        painter = Painter(self.run.painter, self.run.env)
        painter.load_state_dict({name: torch.tensor(value) for name, value in self.algorithm.average_weights().items()})
        return painter.eval()

    def save(self) -> None:
        """Write a checkpoint.

        Raises:
            WriteError: it cannot be written; those there are stay as they are.
        """
        from spiral.agents.painter_file import save_painter

        state = {
            "env_steps": self.env_steps,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "algorithm": self.algorithm.run_state(),
        }
        weights = self.algorithm.average_weights()
        with self.folder.new_checkpoint(self.env_steps) as beside:
            save_state(beside / STATE_FILE, state)
            save_painter(beside / PAINTER_FILE, weights, self.run, self.env_steps)

    def _restore(self, state: dict[str, Any]) -> None:
        try:
            self.algorithm.set_run_state(state["algorithm"])
            self.env_steps = self._steps_before = state["env_steps"]
            self._seconds_before, self._cpu_before = state["seconds"], state["cpu_seconds"]
        except ProcessError:  # no fault of the settings
            raise
        except Exception as error:
            first_line = str(error).strip().partition("\n")[0]
            raise InputError(
                f"cannot go on from {self.folder.newest_checkpoint()}: it is of other settings ({type(error).__name__}: "
                f"{first_line}); leave the settings as they were"
            ) from error
        self._began = time.monotonic()
        self.report.say(f"Going on from {self.env_steps:,} steps and {self._seconds_before / 60:.1f} minutes")

    def _leave_paintings(self) -> None:
        """Stroke programs and one painting as a film, to look at and to replay."""
        shutil.rmtree(self.folder.programs, ignore_errors=True)
        shown = self.evaluator.evenly(SHOWN_PROGRAMS)
        named = paint(
            self._painter(),
            self.run.env,
            len(shown),
            self.run.seed,
            greedy=self.run.env.target,
            origin=f"{self.folder.path.name}, {self.env_steps} steps",
            given={name: values[shown] for name, values in self.evaluator.task.items()},
        )
        for number, program in enumerate(named.programs):
            program.save(self.folder.programs / f"{number:03d}.json")
        writer_for(self.folder.film, size=256)(named.programs[0])

    def close(self) -> None:
        self.log.close()
        self.algorithm.stop()


def _summary(metrics: dict[str, float]) -> str:
    asked = ""
    if "squared_error" in metrics:
        asked += f"squared error {metrics['squared_error']:.4f} (random {metrics['random_error']:.4f})  "
    if "accuracy" in metrics:
        asked += f"read as asked {metrics['accuracy']:.2f}  "
    return asked + (
        f"Fréchet distance {metrics['frechet_distance']:.1f} (ratio {metrics['frechet_ratio']:.2f}; "
        f"random {metrics['random_painter']:.0f}, real {metrics['real_floor']:.1f})  "
        f"class entropy {metrics['class_entropy']:.2f}  confidence {metrics['confidence']:.2f}"
    )


@contextlib.contextmanager
def _interruptible() -> Iterator[Any]:
    """Ctrl-C once, or SIGTERM: the returned function says True, and the loop ends in good order. Twice: at once."""
    asked = False

    def ask(number, frame):
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
