"""The dataset that is fetched: from a server of this test, and without one."""

import gzip
import hashlib
import http.server
import socket
import threading

import numpy as np
import pytest
from idx_files import MNIST_FILES, SCANS

from spiral.datasets import load_pictures
from spiral.datasets import mnist as mnist_module
from spiral.errors import InputError


def load(split="train"):
    return load_pictures("mnist", split, width=32, height=32, channels=1)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, where nothing of MNIST is yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    return tmp_path / "spiral-painter" / "mnist"


@pytest.fixture
def server(cache, tmp_path_factory, monkeypatch):
    """A server with small files of the same names; what it was asked for is in its list ``asked``."""
    folder = tmp_path_factory.mktemp("served")
    for name, data in MNIST_FILES.items():
        (folder / name).write_bytes(data)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=folder)

        def log_message(self, *_):
            self.server.asked.append(self.path[1:])

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked, server.folder = [], folder
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(mnist_module, "URL", f"http://127.0.0.1:{server.server_port}/")
        monkeypatch.setattr(
            mnist_module, "SHA256", {name: hashlib.sha256(data).hexdigest() for name, data in MNIST_FILES.items()}
        )
        yield server
        server.shutdown()


def check(pictures, scans):
    assert np.array_equal(pictures.images[:, 2:30, 2:30, 0], 255 - scans)
    assert (pictures.images[:, :2] == 255).all()
    assert pictures.labels.tolist() == list(range(len(scans)))


def test_what_is_fetched_is_kept(server, cache):
    check(load("train"), SCANS["train"])
    check(load("test"), SCANS["t10k"])
    assert sorted(path.name for path in cache.iterdir()) == sorted(MNIST_FILES)
    assert all((cache / name).read_bytes() == data for name, data in MNIST_FILES.items())
    load("train")
    assert len(server.asked) == len(MNIST_FILES)


def test_what_is_not_the_published_file_is_not_kept(server, cache):
    name = "train-labels-idx1-ubyte.gz"
    (server.folder / name).write_bytes(MNIST_FILES[name][:-1])
    with pytest.raises(InputError, match=f"^what came from http://127.0.0.1:.*/{name} is not the file that was pub"):
        load("train")
    assert not cache.exists()


def test_a_file_the_server_does_not_have_is_named(server):
    (server.folder / "t10k-images-idx3-ubyte.gz").unlink()
    with pytest.raises(InputError, match=r"^cannot fetch http://127.*/t10k-images-idx3-ubyte.gz \(HTTP Error 404"):
        load("test")


def test_without_a_network_it_says_where_to_put_the_files(cache, monkeypatch):
    with socket.socket() as unserved:
        unserved.bind(("127.0.0.1", 0))
        monkeypatch.setattr(mnist_module, "URL", f"http://127.0.0.1:{unserved.getsockname()[1]}/")
        with pytest.raises(InputError) as caught:
            load("train")
    message = str(caught.value)
    assert message.startswith("cannot fetch http://127.0.0.1:") and "Connection refused" in message
    assert message.endswith(
        "; put train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, "
        f"t10k-labels-idx1-ubyte.gz in {cache}, or take the dataset digits, which needs no network"
    )
    assert not cache.exists()


@pytest.mark.parametrize("packed", [True, False])
def test_files_put_there_by_hand_need_no_network(cache, monkeypatch, packed):
    monkeypatch.setattr(mnist_module, "URL", "http://127.0.0.1:9/")
    cache.mkdir(parents=True)
    for name, data in MNIST_FILES.items():
        path = cache / (name if packed else name.removesuffix(".gz"))
        path.write_bytes(data if packed else gzip.decompress(data))
    check(load("train"), SCANS["train"])
    check(load("test"), SCANS["t10k"])


def test_the_published_files_are_fetched_from_their_published_place():
    assert mnist_module.URL.startswith("https://")
    assert all(len(digest) == 64 for digest in mnist_module.SHA256.values())
    assert set(mnist_module.SHA256) == set(MNIST_FILES)
