"""What the user sees while long work goes on."""

from __future__ import annotations

import contextlib
import sys
import termios
import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from spiral.words import clock


class Report:
    """What the user sees: on a terminal a bar with the time left and the figures that matter, else plain lines.

    Use it as a context manager.
    """

    LINE_SECONDS = 15.0  # between two plain lines

    def __init__(self, console: Console | None = None):
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._bar = Progress(
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.description}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=1.0, left="")
        self._last_line = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def say(self, line: str) -> None:
        """A line that stays. Work goes on where it cannot be written, to a file on a full disk say."""
        with contextlib.suppress(OSError):
            self.console.print(line, markup=False, emoji=False)  # brackets and colons in it are the user's own

    def ask(self, question: str) -> str:
        """What the user answers; the bar makes room meanwhile. What was typed before is no answer.

        Raises:
            EOFError: nobody is there to answer.
            KeyboardInterrupt: Ctrl-C was the answer.
        """
        self._bar.stop()
        if sys.stdin.isatty():
            termios.tcflush(sys.stdin, termios.TCIFLUSH)
        try:
            return self.console.input(question, markup=False, emoji=False)
        except (EOFError, KeyboardInterrupt):
            self.console.print()  # what comes next begins a line of its own
            raise
        finally:
            self._bar.start()

    def show(self, progress: float, seconds: float, figures: str, seconds_left: float | None = None) -> None:
        """How far the run is, 0..1, after so many seconds, and a few figures.

        Without ``seconds_left``, what is left is taken to be as fast as what is done.
        """
        if seconds_left is None and progress > 0.005:
            seconds_left = seconds * (1 - progress) / progress
        left = "time left: ..." if seconds_left is None else f"{clock(seconds_left)} left"
        self._bar.update(self._task, completed=progress, description=figures, left=left)
        now = time.monotonic()
        if self._bar.disable and now - self._last_line >= self.LINE_SECONDS:
            self._last_line = now
            self.say(f"{progress:4.0%}  {clock(seconds)} gone, {left}  {figures}")
