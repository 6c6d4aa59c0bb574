"""A small classifier of handwritten digits: the judge of what a painter of digits paints.

It never takes part in training a painter, so that what it says is independent evidence. Importing this module imports
torch; ``spiral.metrics`` does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from spiral.datasets import Pictures, load_pictures
from spiral.datasets.fit import fit
from spiral.datasets.split import SPLITS
from spiral.errors import InputError
from spiral.files import cache_folder, read_arrays, written_whole
from spiral.one_thread import one_thread

SIDE = 32  # pixels, the size every picture is brought to
FEATURES = 64
CLASSES = 10

RECIPE = 1  # raise it when anything below changes what is trained: a kept classifier of another recipe is not used
EPOCHS = 24
BATCH = 64
PEAK_LEARNING_RATE = 4e-3
SEED = 0
# How far a training picture is moved at random, so that a digit painted a little off is still that digit.
LARGEST_TURN = 0.2  # radians
LARGEST_SCALING = 0.15
LARGEST_SHEAR = 0.2
LARGEST_SHIFT = 0.15  # of half the side


class Network(nn.Module):
    """Ink [N, 1, 32, 32] in 0..1 to features [N, 64] and class scores [N, 10]."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(1, 16, 5), *_convolution(16, 32, 3), *_convolution(32, 64, 3), nn.Flatten(),
            nn.Dropout(0.3), nn.Linear(64 * (SIDE // 8) ** 2, FEATURES), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(FEATURES, CLASSES)
        self.to(memory_format=torch.channels_last)  # a third less time on a CPU

    def forward(self, ink: Tensor) -> tuple[Tensor, Tensor]:
        features = self.body(ink)
        return features, self.head(features)


def _convolution(channels_in: int, channels_out: int, size: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(channels_in, channels_out, size, stride=2, padding=size // 2), nn.ReLU()


class DigitClassifier:
    """Trained by the project itself, on the training split of "digits".

    Attributes:
        test_accuracy: the share of the held-out digits that it names rightly.
    """

    def __init__(self, network: Network, test_accuracy: float):
        self._network = network.eval()
        self.test_accuracy = test_accuracy

    @classmethod
    def load_or_train(cls, progress: Callable[[int, int], None] | None = None) -> DigitClassifier:
        """The classifier kept in the user's cache folder; if there is none, it is trained (half a minute) and kept.

        Args:
            progress: called with the epochs done and the epochs in all, while training.
        """
        train, test = (load_pictures("digits", split, width=SIDE, height=SIDE, channels=1) for split in SPLITS)
        path = _kept_file(train, test)
        with _repeatable(SEED):
            classifier = cls._load(path)
            if classifier is None:
                network = _trained_network(train, progress)
                classifier = cls(network, _accuracy(network, test))
                with suppress(InputError):  # a cache folder that cannot be written costs time, not the work
                    classifier._save(path)
        return classifier

    @classmethod
    def _load(cls, path: Path) -> DigitClassifier | None:
        """None if there is no file or a damaged one."""
        try:
            weights = {name: torch.from_numpy(array) for name, array in read_arrays(path).items()}
            test_accuracy = float(weights.pop("test_accuracy"))
            network = Network()
            network.load_state_dict(weights)
        except (OSError, TypeError, ValueError, KeyError, RuntimeError):
            return None
        return cls(network, test_accuracy)

    def _save(self, path: Path) -> None:
        weights = {name: weight.numpy() for name, weight in self._network.state_dict().items()}
        with written_whole(path) as beside:
            np.savez(beside, test_accuracy=np.array(self.test_accuracy), **weights)

    @torch.inference_mode()
    def features(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What it sees in pictures of dark ink on white.

        Args:
            images: uint8 [N, H, W, C], of any size, grey or RGB.

        Returns:
            Features float32 [N, 64] and the probabilities of the ten classes float32 [N, 10].
        """
        seen = [self._network(batch) for batch in _ink(images).split(256)]
        features, scores = (torch.cat(parts) for parts in zip(*seen, strict=True))
        return features.numpy(), scores.softmax(dim=1).numpy()

    def reads(self, images: np.ndarray, labels: np.ndarray | None) -> bool:
        """Whether real pictures are digits: labels of ten classes, most of which it names; other data has ten, too."""
        return (
            labels is not None and set(labels.tolist()) <= set(range(CLASSES)) and self.accuracy(images, labels) > 0.5
        )

    def accuracy(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Share of pictures uint8 [N, H, W, C] of dark ink on white whose likeliest class is their label, int [N].

        A blank picture is none of them; left to itself, the network takes it for a 1.
        """
        blank = (images == images[:, :1, :1]).all(axis=(1, 2, 3))
        return float(((self.features(images)[1].argmax(axis=1) == labels) & ~blank).mean())


def _ink(images: np.ndarray) -> Tensor:
    """Pictures uint8 [N, H, W, C] as ink float32 [N, 1, 32, 32]: 0 white, 1 black."""
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        raise InputError(f"pictures are {images.dtype} of shape {images.shape}; give uint8 [N, H, W, C], C 1 or 3")
    if images.shape[1:] != (SIDE, SIDE, 1):
        pictures = (Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image) for image in images)
        images = np.stack([fit(picture, SIDE, SIDE, 1) for picture in pictures])
    return 1 - torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32)) / 255


def _trained_network(train: Pictures, progress: Callable[[int, int], None] | None) -> Network:
    network = Network()
    ink, labels = _ink(train.images), torch.from_numpy(train.labels)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    batches = len(ink) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LEARNING_RATE, total_steps=EPOCHS * batches)
    for epoch in range(EPOCHS):
        for chosen in torch.randperm(len(ink))[: batches * BATCH].view(batches, BATCH):
            scores = network(_moved(ink[chosen]))[1]
            loss = functional.cross_entropy(scores, labels[chosen], label_smoothing=0.02)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        if progress:
            progress(epoch + 1, EPOCHS)
    return network


@torch.inference_mode()
def _accuracy(network: Network, test: Pictures) -> float:
    classes = network.eval()(_ink(test.images))[1].argmax(dim=1)
    return float((classes.numpy() == test.labels).mean())


def _moved(ink: Tensor) -> Tensor:
    """Each picture [N, 1, H, W] turned, scaled, sheared and shifted a little at random; white comes in at the edges."""
    turn, shear, scale_x, scale_y, shift_x, shift_y = 2 * torch.rand(6, len(ink)) - 1
    turn, shear = turn * LARGEST_TURN, shear * LARGEST_SHEAR
    scale_x, scale_y = 1 + scale_x * LARGEST_SCALING, 1 + scale_y * LARGEST_SCALING
    rows = (
        torch.stack([scale_x * turn.cos(), shear - turn.sin(), shift_x * LARGEST_SHIFT], dim=1),
        torch.stack([turn.sin(), scale_y * turn.cos(), shift_y * LARGEST_SHIFT], dim=1),
    )
    grid = functional.affine_grid(torch.stack(rows, dim=1), list(ink.shape), align_corners=False)
    return functional.grid_sample(ink, grid, align_corners=False)


@contextmanager
def _repeatable(seed: int) -> Iterator[None]:
    """Inside, torch draws from ``seed`` and sums in one order; outside, its generator and threads are as before."""
    with torch.random.fork_rng(devices=[]), one_thread():
        torch.manual_seed(seed)
        yield


def _kept_file(train: Pictures, test: Pictures) -> Path:
    digest = hashlib.sha256(train.images.tobytes() + test.images.tobytes()).hexdigest()[:12]
    return cache_folder() / f"digit-classifier-{RECIPE}-{digest}.npz"
