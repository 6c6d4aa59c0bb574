"""How good a painter is: its paintings against held-out pictures, in numbers that no discriminator had a say in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spiral.config import RunConfig
from spiral.datasets import load_pictures
from spiral.metrics import METRICS, Reference, collapse, measure, measure_strokes, squared_error
from spiral.paint import Paintings, paint
from spiral.pictures import SHEET_TILE, contact_sheet, paired, sample_sheet
from spiral.run_folder import find_painter

EVALUATION_SEED = 2**31  # of the evaluated paintings: always the same noise, so that only the painter differs
RANDOM_SEED = 2**31 + 1
SHEET_PAIRS = 50


class Evaluator:
    """Measures painters of one environment against one dataset.

    Args:
        run: its environment, data and number of samples.
        data: another dataset than the run's.
        progress: called with the epochs done and in all, if the classifier has to be trained first.
    """

    def __init__(self, run: RunConfig, data: str | None = None, progress: Callable[[int, int], None] | None = None):
        from spiral.digit_classifier import DigitClassifier

        self.run = run
        self._classifier = DigitClassifier.load_or_train(progress)
        train, held_out = (load_pictures(data or run.data, split, **run.env.picture) for split in ("train", "test"))
        # Distances are comparable between equally many pictures only.
        self.samples = min(run.evaluate_samples, len(held_out))
        chosen = np.linspace(0, len(held_out) - 1, self.samples).astype(int)
        self.pictures = held_out.images[chosen]
        self.task = {"target": self.pictures} if run.env.target else {}
        if run.env.classes:
            self.task["label"] = held_out.labels_of(run.env.classes)[chosen]
        self._labels = None if held_out.labels is None else held_out.labels[chosen]
        self._random = paint(None, run.env, self.samples, RANDOM_SEED, given=self.task)
        self._reference = Reference.of(self._classifier, train.images, self.pictures, self._random.canvases)

    @property
    def classifier_accuracy(self) -> float:
        """Share of held-out digits the classifier, whose features are compared, names rightly."""
        return self._classifier.test_accuracy

    def __call__(self, painter, seed: int = EVALUATION_SEED) -> tuple[dict[str, float], Paintings]:
        """Metrics of a painter (rows of ``spiral.metrics.METRICS``) and the paintings they were measured on.

        A painter of given pictures paints the held-out ones, greedily; a painter of classes those of their labels.
        """
        env = self.run.env
        paintings = paint(painter, env, self.samples, seed, greedy=env.target, given=self.task)
        measured = measure(paintings.canvases, self._classifier, self._reference)
        measured |= measure_strokes(paintings.programs, env.picture_mm)
        if env.target:
            measured["squared_error"] = squared_error(paintings.canvases, self.pictures)
            measured["random_error"] = squared_error(self._random.canvases, self.pictures)
        if self.task and self._classifier.names(self._labels):
            measured["accuracy"] = self._classifier.accuracy(paintings.canvases, self._labels)
        return measured | {"classifier_accuracy": self.classifier_accuracy}, paintings

    def sheet(self, paintings: Paintings) -> np.ndarray:
        """Some of the evaluated paintings on one picture, each beside the picture it was asked to be."""
        canvases = paintings.canvases
        if not self.run.env.target:
            return sample_sheet(canvases)
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


def evaluate_file(where: str, data: str | None = None) -> dict[str, float]:
    """The metrics of a painter on disk: a run's folder, a checkpoint's, or a painter file.

    Raises:
        InputError: there is no such painter, or no such data.
    """
    from spiral.agents.painter_file import load_painter

    trained = load_painter(find_painter(where))
    measured, _ = Evaluator(trained.run, data)(trained.painter)
    return {"env_steps_trained": trained.env_steps} | measured


def table(measured: dict[str, float]) -> str:
    """Metrics as lines of text, each with its meaning."""
    return "\n".join(f"{name:22} {value:>12,.6g}  {METRICS[name].meaning}" for name, value in measured.items())
