"""What a run writes down about itself: ``metrics.jsonl``, TensorBoard, and what the user sees while it goes on."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from spiral.files import written_whole
from spiral.run_folder import RunFolder


class MetricsLog:
    """Rows of metrics to ``metrics.jsonl`` (one JSON object a line) and to TensorBoard.

    Args:
        folder: of the run; rows are appended.
        env_steps: where the run goes on from. Rows beyond it, of steps that will be taken again, are removed.
    """

    def __init__(self, folder: RunFolder, env_steps: int):
        from torch.utils.tensorboard import SummaryWriter

        with written_whole(folder.metrics_file) as beside:
            kept = (row for row in folder.metrics() if row["env_steps"] <= env_steps)
            beside.write_text("".join(json.dumps(row) + "\n" for row in kept))
        self._file = folder.metrics_file.open("a", buffering=1)
        self._board = SummaryWriter(str(folder.tensorboard), purge_step=env_steps + 1)

    def write(self, env_steps: int, row: dict[str, float]) -> None:
        """One row of metrics, each a name of ``spiral.metrics.METRICS``."""
        self._file.write(json.dumps({"env_steps": env_steps, **row}) + "\n")
        for name, value in row.items():
            self._board.add_scalar(name, value, env_steps)

    def picture(self, env_steps: int, name: str, pixels: np.ndarray) -> None:
        """A picture uint8 [H, W, C] to TensorBoard."""
        self._board.add_image(name, pixels, env_steps, dataformats="HWC")

    def close(self) -> None:
        self._file.close()
        self._board.close()


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

    def __enter__(self) -> Report:
        self._bar.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._bar.stop()

    def say(self, line: str) -> None:
        """A line that stays."""
        self.console.print(line)

    def show(self, progress: float, seconds: float, figures: str) -> None:
        """How far the run is, 0..1, after so many seconds, and a few figures."""
        left = f"{_clock(seconds * (1 - progress) / progress)} left" if progress > 0.005 else "time left: ..."
        self._bar.update(self._task, completed=progress, description=figures, left=left)
        now = time.monotonic()
        if self._bar.disable and now - self._last_line >= self.LINE_SECONDS:
            self._last_line = now
            self.say(f"{progress:4.0%}  {_clock(seconds)} gone, {left}  {figures}")


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
