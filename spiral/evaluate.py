"""How good a painter is: its paintings against held-out pictures, in numbers that no discriminator had a say in."""

from __future__ import annotations

import dataclasses
import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from spiral import checks
from spiral.config import LIMITS, RunConfig
from spiral.datasets import load_pictures
from spiral.datasets.split import SPLITS
from spiral.errors import InputError
from spiral.freed_memory import keep_freed_memory
from spiral.metrics import (
    METRICS,
    Reference,
    collapse,
    measure,
    measure_strokes,
    squared_error,
    squared_errors,
)
from spiral.one_thread import one_thread
from spiral.paint import Paintings, paint, rollouts
from spiral.pictures import SHEET_TILE, contact_sheet, paired, sample_sheet
from spiral.progress import Watch, unwatched
from spiral.run_folder import find_painter
from spiral.search import MAX_CANDIDATES, search

EVALUATION_SEED = 2**31  # of the evaluated paintings: always the same noise, so that only the painter differs
RANDOM_SEED = 2**31 + 1
SEARCH_SEED = 2**31 + 2
SHEET_PAINTINGS, SHEET_PAIRS = 100, 50


class Evaluator:
    """Measures painters of one environment against the pictures of one dataset.

    Args:
        run: its environment, data and number of samples.
        data: another dataset than the run's.
        progress: called with the epochs done and in all, if the classifier has to be trained first.
        split: which pictures paintings are measured against. Whoever chooses painters by the figures takes "train", so
            that those held out still say how good the chosen one is.
    """

    def __init__(
        self,
        run: RunConfig,
        data: str | None = None,
        progress: Callable[[int, int], None] | None = None,
        split: str = "test",
    ):
        from spiral.digit_classifier import DigitClassifier

        self.run = run
        self._scale = run.objective.finest
        self._classifier = DigitClassifier.load_or_train(progress)
        splits = {name: load_pictures(data or run.data, name, **run.env.picture) for name in SPLITS}
        against = splits.pop(split)
        (others,) = splits.values()
        # Distances are comparable between equally many pictures only.
        self.samples = min(run.evaluate_samples, len(against))
        chosen = np.linspace(0, len(against) - 1, self.samples).astype(int)
        self.pictures = against.images[chosen]
        self.task = {"target": self.pictures} if run.env.target else {}
        if run.env.classes:
            self.task["label"] = against.labels_of(run.env.classes)[chosen]
        self._labels = None if against.labels is None else against.labels[chosen]
        self._readable = bool(self.task) and self._classifier.reads(self.pictures, self._labels)
        self._random = paint(None, run.env, self.samples, RANDOM_SEED, given=self.task)
        self._reference = Reference.of(self._classifier, others.images, self.pictures, self._random.canvases)

    @property
    def classifier_accuracy(self) -> float:
        """Share of held-out digits the classifier, whose features are compared, names rightly."""
        return self._classifier.test_accuracy

    def __call__(
        self, painter, seed: int = EVALUATION_SEED, greedy: bool = False
    ) -> tuple[dict[str, float], Paintings]:
        """Metrics of a painter (rows of ``spiral.metrics.METRICS``) and the paintings they were measured on.

        A painter of given pictures paints the held-out ones, always greedily; a painter of classes those of their labels.
        """
        env = self.run.env
        paintings = paint(painter, env, self.samples, seed, greedy=greedy or env.target, given=self.task)
        measured = measure(paintings.canvases, self._classifier, self._reference)
        measured |= measure_strokes(paintings.programs, env.picture_mm)
        if env.target:
            measured["squared_error"] = squared_error(paintings.canvases, self.pictures, self._scale)
            measured["random_error"] = squared_error(self._random.canvases, self.pictures, self._scale)
        measured |= self._accuracy(paintings.canvases)
        return measured | {"classifier_accuracy": self.classifier_accuracy}, paintings

    def _accuracy(self, canvases: np.ndarray) -> dict[str, float]:
        """Nothing where no digits were asked for."""
        if not self._readable:
            return {}
        return {"accuracy": self._classifier.accuracy(canvases, self._labels)}

    def reconstructions(
        self, painter, searches: Sequence[int] = (), watch: Watch = unwatched
    ) -> dict[str, dict[str, Any]]:
        """How near to the held-out pictures a painter's paintings of them come, beside others', and what they cost.

        Args:
            painter: of given pictures; it paints greedily, and is called "painter" in the answer.
            searches: numbers of candidates k; greedy search with each is "search k". "random" is the random painter.
            watch: shown the pictures of a search.

        Returns:
            Of each: squared_error, squared_errors (a list), accuracy (if digits were asked for),
            cpu_seconds_per_picture; rows of ``spiral.metrics.METRICS``.
        """
        keep_freed_memory()
        # Several threads wait for each other, which on a busy machine costs ten times the work's CPU seconds.
        with one_thread(), _collected():
            next(rollouts(painter, self.run.env, 1, EVALUATION_SEED, True, self.task))  # torch prepares for these sizes
            compared = {"painter": self._reconstructed(painter, EVALUATION_SEED)}
            for candidates in searches:
                began = time.process_time()
                found = search(self.run.env, self.pictures, candidates, SEARCH_SEED, watch, self._scale)
                seconds = (time.process_time() - began) / self.samples
                compared[f"search {candidates}"] = self._compared(found.errors, found.canvases, seconds)
            return compared | {"random": self._reconstructed(None, RANDOM_SEED)}

    def _reconstructed(self, painter, seed: int) -> dict[str, Any]:
        errors, canvases, seconds = [], [], []
        for (rollout, _), spent in _timed(rollouts(painter, self.run.env, self.samples, seed, True, self.task)):
            steps = [*rollout.observations["canvas"].swapaxes(0, 1)[1:], rollout.finals]
            targets = rollout.constants["target"]
            errors.append(np.stack([squared_errors(step, targets, self._scale) for step in steps], axis=1))
            canvases.append(rollout.finals)
            seconds.append(spent / len(rollout.finals))
        errors, canvases = (np.concatenate(parts)[: self.samples] for parts in (errors, canvases))
        return self._compared(errors, canvases, float(np.mean(seconds)))

    def _compared(self, errors: np.ndarray, canvases: np.ndarray, seconds: float) -> dict[str, Any]:
        means = [float(after.mean()) for after in errors.T]
        compared = {"squared_error": means[-1], **self._accuracy(canvases)}
        return compared | {"cpu_seconds_per_picture": seconds, "squared_errors": means}

    def sheet(self, paintings: Paintings) -> np.ndarray:
        """Some of the evaluated paintings on one picture, each beside the picture it was asked to be."""
        canvases = paintings.canvases
        if not self.run.env.target:
            # Labels may come class by class: some of each are shown.
            return sample_sheet(canvases[self.evenly(SHEET_PAINTINGS)] if self.task else canvases)
        some = self.evenly(SHEET_PAIRS)
        return contact_sheet(
            paired(self.pictures[some], canvases[some]), 10, max(1, round(SHEET_TILE / canvases.shape[2]))
        )

    def evenly(self, count: int) -> np.ndarray:
        """Numbers of so many of the evaluated paintings, of all of them where they are fewer."""
        return np.linspace(0, self.samples - 1, min(count, self.samples)).astype(int)

    def collapse(self, measured: dict[str, float]) -> str | None:
        """What in these metrics says that the painter has collapsed, None where nothing does."""
        return collapse(measured, self._reference)


@contextmanager
def _collected() -> Iterator[None]:
    """Inside, garbage collection passes over what there was before: going through all of torch takes a tenth of a second."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _timed(items: Iterable) -> Iterator[tuple[Any, float]]:
    """Each item with the CPU seconds that making it took."""
    began = time.process_time()
    for item in items:
        yield item, time.process_time() - began
        began = time.process_time()


def evaluate_file(
    where: str,
    data: str | None = None,
    searches: Sequence[int] = (),
    samples: int | None = None,
    greedy: bool = False,
    watch: Watch = unwatched,
) -> dict[str, Any]:
    """The metrics of a painter on disk: a run's folder, a checkpoint's, or a painter file.

    Args:
        where: the painter.
        data: other pictures than its run's.
        searches: greedy search with each of these numbers of candidates is measured beside a painter of given pictures.
        samples: how many held-out pictures; as many as in its run where None.
        greedy: the most probable part each time, as painters of given pictures always do.
        watch: shown the pictures of a search.

    Returns:
        Rows of ``spiral.metrics.METRICS``, and of a painter of given pictures ``Evaluator.reconstructions`` as
        "reconstruction".

    Raises:
        InputError: there is no such painter or no such data, a number is out of range, or there is nothing to search.
    """
    from spiral.agents.painter_file import load_painter

    for candidates in searches:
        checks.integer(candidates, "--search", 1, MAX_CANDIDATES)
    trained = load_painter(find_painter(where))
    run = trained.run
    if searches and not run.env.target:
        raise InputError(
            f"--search paints given pictures, and the painter {where} is given none; leave it out, or evaluate a painter "
            "that was trained with env.target=true"
        )
    if samples is not None:
        run = dataclasses.replace(
            run, evaluate_samples=checks.integer(samples, "--samples", *LIMITS["evaluate_samples"])
        )
    evaluator = Evaluator(run, data)
    measured: dict[str, Any] = {"env_steps_trained": trained.env_steps} | evaluator(trained.painter, greedy=greedy)[0]
    if run.env.target:
        measured["reconstruction"] = evaluator.reconstructions(trained.painter, searches, watch)
    return measured


def table(measured: dict[str, Any]) -> str:
    """Metrics as lines of text, each with its meaning."""
    lines = [
        f"{name:22} {value:>12,.6g}  {METRICS[name].meaning}"
        for name, value in measured.items()
        if name != "reconstruction"
    ]
    if "reconstruction" in measured:
        lines += ["", *_reconstruction_table(measured["reconstruction"])]
    return "\n".join(lines)


def _reconstruction_table(compared: dict[str, dict[str, Any]]) -> list[str]:
    columns = [name for name in compared["painter"] if name != "squared_errors"]
    lines = ["".join([" " * 22, *(f"{name:>{len(name) + 2}}" for name in columns)])]
    for who, row in compared.items():
        lines.append("".join([f"{who:22}", *(f"{row[name]:>{len(name) + 2},.4g}" for name in columns)]))
    return lines
