"""What a run writes down about itself: ``metrics.jsonl`` and TensorBoard."""

from __future__ import annotations

import json

import numpy as np

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
