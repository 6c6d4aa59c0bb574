"""A cluster of Ray on one machine: each node is ``ray start`` in processes of its own, which can be lost at once."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

STORE_BYTES = 100 * 2**20
START_S = 300.0  # longest wait for a node or an actor to start, on a machine with other work


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """A head, and nodes that come and go. No process of another Ray is touched."""

    def __init__(self, folder: Path):
        self.folder = folder
        # Nodes and drivers show it to each other, so that no one else on this machine can run anything here.
        self.environment = os.environ | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self.address = ""  # HOST:PORT, once there is a head
        self._nodes: list[subprocess.Popen] = []

    def add(self, *options: str) -> subprocess.Popen:
        """Start a node, the first of them is the head; back when it has joined."""
        joins = ["--address", self.address]
        if not self._nodes:
            joins = ["--head", "--port", str(free_port()), "--include-dashboard", "false"]
            joins += ["--temp-dir", str(self.folder)]
        log = self.folder / f"node-{len(self._nodes)}.log"
        with log.open("w") as output:
            node = subprocess.Popen(
                [Path(sys.executable).with_name("ray"), "start", "--block", "--disable-usage-stats", *joins]
                + ["--min-worker-port", "0", "--max-worker-port", "0"]
                + ["--object-store-memory", str(STORE_BYTES), *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment,
            )
        self._nodes.append(node)
        until = time.monotonic() + START_S
        while "Ray runtime started" not in log.read_text():
            assert node.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        self.address = self.address or re.search(r"--address='(.+)'", log.read_text())[1]
        return node

    def wait_for(self, actor: str, count: int) -> None:
        """Wait until so many actors of this class have processes, on whichever nodes."""
        until = time.monotonic() + START_S
        while sum(title.startswith(f"ray::{actor}") for title in self._titles()) < count:
            assert time.monotonic() < until, f"no {count} of {actor}, only {sorted(self._titles())}"
            time.sleep(0.2)

    def _titles(self) -> Iterator[str]:
        for node in self._nodes:
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in psutil.Process(node.pid).children(recursive=True):
                    with contextlib.suppress(psutil.NoSuchProcess, IndexError):
                        yield process.cmdline()[0]

    @staticmethod
    def lose(node: subprocess.Popen) -> None:
        """End all processes of a node at once, as when its machine is switched off."""
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(node.pid)
            for process in [parent, *parent.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
        node.wait()

    def close(self) -> None:
        for node in reversed(self._nodes):
            self.lose(node)
