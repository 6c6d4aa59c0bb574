"""Tasks: what an episode is asked to paint, a given picture, a class, both, or nothing in particular."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from spiral.config import EnvConfig
from spiral.datasets import load_pictures
from spiral.envs.streams import Streams
from spiral.errors import InputError

Task = dict[str, np.ndarray]
"""Of N episodes: ``target`` uint8 [N, H, W, C] and ``label`` int64 [N], each only where the environment has it."""


class Tasks:
    """The tasks episodes are drawn from.

    Args:
        config: checked settings of the environment; ``target`` and ``classes`` say what a task holds.
        targets: uint8 [M, H, W, C], or the name or path of a dataset, of which its training pictures and their labels
            are taken. None: no pool of them, so that every target has to be given.
        labels: integers [M], the class of each target or, without targets, the classes to draw from. None: the
            dataset's, or every class alike.

    Raises:
        InputError: targets or labels do not fit the canvas or each other, or a dataset cannot be read or has no labels.

    Attributes:
        config: the settings, with ``target`` and ``classes`` as the pictures and labels given make them.
    """

    def __init__(self, config: EnvConfig, targets: np.ndarray | str | None = None, labels: Sequence[int] | None = None):
        self._shape = (config.height, config.width, config.channels)
        if isinstance(targets, str):
            pictures = load_pictures(targets, "train", **config.picture)
            targets = pictures.images
            if config.classes and labels is None:
                labels = pictures.labels_of(config.classes)
        self._targets = None if targets is None else self._checked_targets(targets)
        self._labels = None if labels is None else self._checked_labels(labels)
        classes = config.classes
        if self._labels is not None:
            needed = int(self._labels.max()) + 1
            if classes and needed > classes:
                raise InputError(f"labels go up to {needed - 1}; this environment has classes={classes}, from 0")
            classes = classes or needed
        elif classes and self._targets is not None:
            raise InputError(
                f"an environment with classes={classes} needs the label of each target: give labels=integers [M]"
            )
        self.config = dataclasses.replace(config, target=config.target or self._targets is not None, classes=classes)

    @property
    def known(self) -> bool:
        """Whether tasks can be drawn; otherwise the targets have to be given."""
        return self._targets is not None or not self.config.target

    def draw(self, streams: Streams) -> Task:
        """A task for each of the streams; blank where it has to be given."""
        task, count = {}, len(streams)
        pool = self._targets if self._targets is not None else self._labels
        size = self.config.classes if pool is None else len(pool)
        choice = streams.below(size) if size else None
        if self.config.target:
            task["target"] = np.zeros((count, *self._shape), np.uint8) if not self.known else self._targets[choice]
        if self.config.classes:
            task["label"] = choice if self._labels is None else self._labels[choice]
        return task

    def _checked_targets(self, targets: np.ndarray) -> np.ndarray:
        targets = np.asarray(targets)
        if targets.dtype != np.uint8 or targets.shape[1:] != self._shape or not len(targets):
            raise InputError(
                f"targets are {targets.dtype} {list(targets.shape)}; accepted: uint8 [M, "
                f"{', '.join(map(str, self._shape))}], M at least 1, the size of the canvas"
            )
        return targets

    def _checked_labels(self, labels: Sequence[int]) -> np.ndarray:
        labels = np.asarray(labels)
        count = labels.size if self._targets is None else len(self._targets)
        if labels.dtype.kind not in "iu" or labels.shape != (count,) or not count or labels.min() < 0:
            raise InputError(
                f"labels are {labels.dtype} {list(labels.shape)}; accepted: integers from 0, one for each target"
            )
        return labels.astype(np.int64)
