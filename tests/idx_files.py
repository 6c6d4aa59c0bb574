"""Small files like those of MNIST, for tests that have no network."""

import gzip

import numpy as np


def idx_bytes(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


SCANS = {"train": np.arange(3 * 784).astype(np.uint8).reshape(3, 28, 28), "t10k": np.full((2, 28, 28), 255, np.uint8)}
MNIST_FILES = {
    f"{name}-{what}-ubyte.gz": gzip.compress(idx_bytes(array), mtime=0)
    for name, scans in SCANS.items()
    for what, array in (("images-idx3", scans), ("labels-idx1", np.arange(len(scans), dtype=np.uint8)))
}
