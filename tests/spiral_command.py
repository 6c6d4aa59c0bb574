"""The command ``spiral`` as a shell starts it, to be sent signals and to have its processes killed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from spiral import config

LONGEST_S = 600  # that anything is waited for
KEPT = ("description", "minutes", "env_steps")  # of the preset


def settings_of(run):
    """Arguments that make this run of the debug preset, but for its budget."""
    changes = _differences(config.to_dict(config.preset("debug")), config.to_dict(run))
    return [f"--set={name}={json.dumps(value)}" for name, value in changes if name not in KEPT]


def _differences(old, new, prefix=""):
    for name, value in new.items():
        if isinstance(value, dict):
            yield from _differences(old[name], value, f"{prefix}{name}.")
        elif value != old[name]:
            yield f"{prefix}{name}", value


def until(reached):
    """Wait for a condition; its value."""
    deadline = time.monotonic() + LONGEST_S
    while not (value := reached()):
        assert time.monotonic() < deadline, f"not reached in {LONGEST_S} s"
        time.sleep(0.1)
    return value


class Spiral:
    """The command in a process group of its own.

    Args:
        arguments: of the command.
        cwd: where it runs.
        first: Python code that is run before it.
        env: variables of the environment, beside those there are.
        within: words before the command's, of a program that becomes it.
    """

    def __init__(self, *arguments, cwd, first="", env=None, within=()):
        self.cwd = cwd
        folder = Path(tempfile.mkdtemp(dir=Path(cwd).parent))
        self._stdout, self._stderr, self._read = folder / "stdout", folder / "stderr", 0
        # Files, not pipes: nobody has to read them for the command to go on.
        with self._stdout.open("w") as stdout, self._stderr.open("w") as stderr:
            self.process = subprocess.Popen(
                [*within, sys.executable, "-c", f"{first}\nfrom spiral.cli import main; main()", *map(str, arguments)],
                cwd=cwd,
                env=os.environ | (env or {}),
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )

    def signal(self, number):
        """What a terminal's Ctrl-C or Ctrl-Z does: to the whole group."""
        os.killpg(self.process.pid, number)

    def processes(self):
        """All that it started, itself included."""
        return [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]

    def find(self, name):
        """The first of its processes that Ray gave a name beginning so; waited for."""
        return until(lambda: next(iter(self.find_all(name)), None))

    def find_all(self, name):
        """Its processes that Ray gave a name beginning so."""
        return [each for each in self.processes() if _name(each).startswith(f"ray::{name}")]

    def read(self):
        """What it has said since this was last asked for."""
        text = self._stdout.read_text()[self._read :]
        self._read += len(text)
        return text

    def read_until(self, pattern):
        """The next line of its output that matches."""
        return until(lambda: self._next_line(pattern))

    def _next_line(self, pattern):
        ended = self.process.poll() is not None
        *lines, _ = self._stdout.read_text()[self._read :].split("\n")
        for line in lines:
            self._read += len(line) + 1
            if re.search(pattern, line):
                return f"{line}\n"
        assert not ended, f"it ended without a line like {pattern!r}: {self._stderr.read_text()}"
        return None

    def errors(self):
        return self._stderr.read_text()

    def end(self):
        """Exit code, the rest of the output, errors."""
        self.process.wait(LONGEST_S)
        return self.process.returncode, self.read(), self.errors()


def _name(process):
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
