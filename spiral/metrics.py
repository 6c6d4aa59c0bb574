"""What is measured of paintings, and what each number means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from spiral.errors import InputError
from spiral.program import Program

if TYPE_CHECKING:
    from spiral.digit_classifier import DigitClassifier  # it imports torch

CONFIDENT = 0.9
# Under this share of the real pictures' variety, or of their class entropy, a painter has collapsed: the pictures of
# one digit alone have 0.13 to 0.53 of the variety of all ten, random paintings 0.86.
COLLAPSED = 0.4


@dataclass(frozen=True)
class Metric:
    """One measured number."""

    meaning: str
    unit: str = ""
    better: str = ""  # "lower", "higher", or nothing where neither is


METRICS: dict[str, Metric] = {
    "frechet_distance": Metric("Fréchet distance to the held-out pictures, by classifier features", better="lower"),
    "frechet_ratio": Metric("Fréchet distance as a share of the random painter's", better="lower"),
    "real_floor": Metric("Fréchet distance of as many training pictures to the held-out ones: the best there is"),
    "random_painter": Metric("Fréchet distance of paintings by uniformly random actions: the start"),
    "variety": Metric(
        "spread of the paintings, by classifier features, as a share of the held-out pictures'", "", "higher"
    ),
    "class_entropy": Metric("entropy of the classes the classifier sees; ln 10 = 2.303 if all alike", "nats", "higher"),
    "smallest_class_share": Metric("share of the class seen least often; 0.1 at best", "0..1", "higher"),
    "confidence": Metric("mean probability of the class the classifier sees", "0..1", "higher"),
    "confident_share": Metric(f"share of paintings whose class has a probability over {CONFIDENT}", "0..1", "higher"),
    "squared_error": Metric(
        "mean squared error of paintings to the held-out pictures they were asked to be, values in 0..1, of blocks of the "
        "least of objective.scales",
        "",
        "lower",
    ),
    "squared_errors": Metric("the same after the first, the second and every further action", "", "lower"),
    "random_error": Metric("squared error of paintings by uniformly random actions"),
    "accuracy": Metric(
        "share of paintings that the classifier reads as the digit they were asked to be", "0..1", "higher"
    ),
    "cpu_seconds_per_picture": Metric(
        "user and system time of a painting, as many side by side as usual", "s", "lower"
    ),
    "ink": Metric("mean darkness of a painting", "0..1"),
    "strokes": Metric("mean number of strokes in a painting", "strokes"),
    "pen_lifts": Metric("mean number of pen lifts between the strokes of a painting", "lifts"),
    "pen_travel": Metric("mean way of the lifted pen between the strokes of a painting, on paper", "mm"),
    "classifier_accuracy": Metric("share of held-out digits the classifier names rightly", "0..1", "higher"),
    # while training
    "env_steps_sampled": Metric("environment steps painted by the runners since the run began", "steps"),
    "env_steps_trained": Metric("environment steps the learner has learned from since the run began", "steps"),
    "env_steps_dropped": Metric("environment steps painted but never learned from", "steps", "lower"),
    "policy_lag": Metric("updates between the weights that painted a rollout and those that learn from it", "updates"),
    "discriminator_lag": Metric("rollouts the scoring discriminator has not been trained on yet", "rollouts"),
    "discriminator_restarts": Metric("times the discriminator's process died and was brought back"),
    "runners_lost": Metric("runners whose processes died and have not been brought back yet", "runners", "lower"),
    "runner_restarts": Metric("times a runner's process died and was brought back"),
    "seconds": Metric("time since the run began, interruptions left out", "s"),
    "cpu_seconds": Metric("user and system time of all the run's processes on this machine", "s"),
    "discriminator/loss": Metric("the objective's loss of the discriminator"),
    "discriminator/class_loss": Metric(
        "negative log-probability of real pictures' labels by its classifier", "nats", "lower"
    ),
    "discriminator/gap": Metric("mean score of real pictures less that of painted ones"),
    "discriminator/gradient_penalty": Metric("mean (slope - 1)^2 of the score between real and painted pictures"),
    "score_mean": Metric("mean score of finished canvases"),
    "score_std": Metric("standard deviation of the scores of finished canvases"),
    "policy_loss": Metric("V-trace policy gradient loss"),
    "value_loss": Metric("Huber loss of the value against its V-trace target"),
    "gradient_norm": Metric("norm of the painter's gradients before they are clipped"),
    "rho_mean": Metric("mean importance ratio of the learner's policy to the runner's; 1 on-policy"),
    "learning_rate": Metric("of the painter's optimiser"),
} | {
    f"entropy/{part}": Metric(f"entropy of the action part {part!r}, 0 where it did not matter", "nats")
    for part in ("flag", "end", "control", "size", "pressure", "color", "red", "green", "blue")
}
"""Everything that is logged has its row here."""


@dataclass(frozen=True)
class Reference:
    """What paintings are compared with: pictures, as a rule held-out ones, and the two ends of the scale.

    The Fréchet distance of a finite sample is too large, and the more so the smaller the sample: compare distances of
    equally many pictures only.
    """

    features: np.ndarray  # [N, F], of the pictures
    class_entropy: float  # of the pictures
    real_floor: float
    random_painter: float

    @property
    def spread(self) -> float:
        """Mean squared distance of the pictures' features to their mean."""
        return spread(self.features)

    @classmethod
    def of(
        cls, classifier: DigitClassifier, others: np.ndarray, pictures: np.ndarray, random_paintings: np.ndarray
    ) -> Reference:
        """From pictures uint8 [N, H, W, C] at the size of the canvas, others of the same dataset, and random paintings."""
        # As many of the others, taken evenly so that a set sorted by class gives all its classes.
        evenly = np.linspace(0, len(others) - 1, min(len(pictures), len(others))).astype(int)
        features, probabilities = classifier.features(pictures)
        floor, random = (
            frechet_distance(classifier.features(images)[0], features) for images in (others[evenly], random_paintings)
        )
        return cls(features, entropy(class_shares(probabilities)), floor, random)


def measure(images: np.ndarray, classifier: DigitClassifier, reference: Reference) -> dict[str, float]:
    """The metrics of paintings uint8 [N, H, W, C], dark ink on white."""
    features, probabilities = classifier.features(images)
    confidence = probabilities.max(axis=1)
    shares = class_shares(probabilities)
    distance = frechet_distance(features, reference.features)
    measured = {
        "frechet_distance": distance,
        "frechet_ratio": distance / reference.random_painter,
        "real_floor": reference.real_floor,
        "random_painter": reference.random_painter,
        "variety": spread(features) / reference.spread,
        "class_entropy": entropy(shares),
        "smallest_class_share": shares.min(),
        "confidence": confidence.mean(),
        "confident_share": (confidence > CONFIDENT).mean(),
        "ink": ink(images),
    }
    return {name: float(value) for name, value in measured.items()}


def squared_error(paintings: np.ndarray, pictures: np.ndarray, scale: int = 1) -> float:
    """Mean of (painting - picture)^2 over all values, each in 0..1, of uint8 [N, H, W, C] and as many pictures.

    With a ``scale`` the values are means over blocks of scale x scale pixels: what is finer is not compared.
    """
    return float(squared_errors(paintings, pictures, scale).mean())


def squared_errors(paintings: np.ndarray, pictures: np.ndarray, scale: int = 1) -> np.ndarray:
    """The same of each painting, float64 [N]; all may have one picture, uint8 [H, W, C]."""
    differences = np.subtract(paintings, pictures, dtype=np.int16)
    if scale > 1:
        return np.square(_block_means(differences, scale)).mean(axis=(1, 2, 3)) / 255**2
    squares = np.square(differences, out=differences).view(np.uint16)  # up to 255^2, which 16 bits just hold
    return squares.mean(axis=(1, 2, 3), dtype=np.float64) / 255**2


def _block_means(values: np.ndarray, side: int) -> np.ndarray:
    """Of [N, H, W, C], float64; blocks that reach over an edge are filled up with 0."""
    count, height, width, channels = values.shape
    filled = np.pad(values, ((0, 0), (0, -height % side), (0, -width % side), (0, 0)))
    blocks = filled.reshape(count, filled.shape[1] // side, side, filled.shape[2] // side, side, channels)
    return blocks.mean(axis=(2, 4))


def collapse(measured: dict[str, float], reference: Reference) -> str | None:
    """What says that a painter of these metrics paints one picture, or one kind of picture, again and again."""
    if measured["variety"] < COLLAPSED:
        return f"its paintings have {measured['variety']:.0%} of the real pictures' variety"
    if measured["class_entropy"] < COLLAPSED * reference.class_entropy:
        return f"class entropy {measured['class_entropy']:.2f} nats, of real pictures {reference.class_entropy:.2f}"
    return None


def measure_strokes(programs: Sequence[Program], picture_mm: float) -> dict[str, float]:
    """The metrics of stroke programs whose canvas's shorter side is ``picture_mm`` long on paper."""
    measured = {
        "strokes": [len(program.strokes) for program in programs],
        "pen_lifts": [pen_lifts(program) for program in programs],
        "pen_travel": [pen_travel(program, picture_mm) for program in programs],
    }
    return {name: float(np.mean(values)) for name, values in measured.items()}


def frechet_distance(features_a: np.ndarray, features_b: np.ndarray) -> float:
    """Fréchet distance between the normal distributions fitted to two sets of features [N, F] and [M, F].

    |mean_a - mean_b|^2 + tr(cov_a + cov_b - 2 (cov_a cov_b)^(1/2)) (Dowson and Landau 1982; on a classifier's features:
    Heusel et al. 2017, arXiv 1706.08500). It is squared, as is usual there, and never negative.

    Raises:
        InputError: fewer than two pictures on a side, features of different length or not finite.
    """
    a, b = (np.asarray(features, dtype=np.float64) for features in (features_a, features_b))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise InputError(f"features have shapes {a.shape} and {b.shape}; give [N, F] and [M, F], N and M at least 2")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("features are not all finite; the pictures or the classifier behind them are damaged")
    root_a, root_b = _root(a), _root(b)
    # tr (cov_a cov_b)^(1/2) is the sum of the singular values of root_a root_b^T, so no root of a matrix is taken.
    shared = np.linalg.svd(root_a @ root_b.T, compute_uv=False).sum()
    means_apart = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    return float(max(0.0, means_apart + (root_a**2).sum() + (root_b**2).sum() - 2 * shared))


def _root(features: np.ndarray) -> np.ndarray:
    """A matrix R of at most F rows with R^T R the covariance of features [N, F]."""
    return np.linalg.qr((features - features.mean(axis=0)) / np.sqrt(len(features) - 1), mode="r")


def spread(features: np.ndarray) -> float:
    """Mean squared distance of features [N, F] to their mean."""
    return float(np.var(features, axis=0, dtype=np.float64).sum())


def class_shares(probabilities: np.ndarray) -> np.ndarray:
    """The share of each class among the most probable classes of pictures; probabilities [N, K] to [K]."""
    return np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1]) / len(probabilities)


def entropy(shares: np.ndarray) -> float:
    """Entropy in nats of shares that sum to 1."""
    present = shares[shares > 0]
    return float(-(present * np.log(present)).sum()) + 0.0  # + 0.0: one class alone gives 0, not -0


def ink(images: np.ndarray) -> float:
    """Mean darkness of uint8 pictures: 0 all white, 1 all black."""
    return 1 - float(images.mean()) / 255


def pen_lifts(program: Program) -> int:
    """How often a stroke does not start where the one before it ended, or needs another pen: has another colour."""
    return sum(
        after.start != before.end or after.brush.color != before.brush.color
        for before, after in pairwise(program.strokes)
    )


def pen_travel(program: Program, picture_mm: float) -> float:
    """Millimetres from strokes' ends to the next ones' starts, the canvas's shorter side being ``picture_mm`` long."""
    width, height = program.canvas.width, program.canvas.height
    unit = picture_mm / min(width, height)
    return sum(
        math.hypot((after.start.x - before.end.x) * width, (after.start.y - before.end.y) * height) * unit
        for before, after in pairwise(program.strokes)
    )
