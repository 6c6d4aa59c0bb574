"""What a run writes down about itself: ``metrics.jsonl`` and TensorBoard."""

from __future__ import annotations

import errno
import io
import json
import os
import socket
import time
from pathlib import Path

import numpy as np

from spiral.errors import WriteError
from spiral.files import written_whole
from spiral.pictures import to_image
from spiral.run_folder import RunFolder


class MetricsLog:
    """Rows of metrics to ``metrics.jsonl`` (one JSON object a line) and to TensorBoard.

    Args:
        folder: of the run; rows are appended.
        env_steps: where the run goes on from. Rows beyond it, of steps that will be taken again, are removed.

    Raises:
        WriteError: the folder cannot be written.
    """

    def __init__(self, folder: RunFolder, env_steps: int):
        with written_whole(folder.metrics_file) as beside:
            kept = (row for row in folder.metrics() if row["env_steps"] <= env_steps)
            beside.write_text("".join(json.dumps(row) + "\n" for row in kept))
        self._file = _Records(folder.metrics_file)
        self._board = _Board(folder.tensorboard, env_steps)

    def write(self, env_steps: int, row: dict[str, float]) -> None:
        """One row of metrics, each a name of ``spiral.metrics.METRICS``.

        Raises:
            WriteError: it cannot be written; rows before it and after it are not touched by that.
        """
        self._file.write((json.dumps({"env_steps": env_steps, **row}) + "\n").encode())
        self._board.write(env_steps, [{"tag": name, "simple_value": value} for name, value in row.items()])

    def picture(self, env_steps: int, name: str, pixels: np.ndarray) -> None:
        """A picture uint8 [H, W, C], C = 1 or 3, to TensorBoard.

        Raises:
            WriteError: it cannot be written.
        """
        height, width, channels = pixels.shape
        png = io.BytesIO()
        to_image(pixels).save(png, format="png")
        image = {"height": height, "width": width, "colorspace": channels, "encoded_image_string": png.getvalue()}
        self._board.write(env_steps, [{"tag": name, "image": image}])

    def close(self) -> None:
        self._file.close()
        self._board.close()


class _Records:
    """A file that records are appended to, each whole or not at all, so that a full disk spoils none of them."""

    def __init__(self, path: Path):
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise WriteError(f"cannot write {path}: {error.strerror}") from None

    def write(self, record: bytes) -> None:
        end = self._file.seek(0, os.SEEK_END)  # it is elsewhere after a record that did not fit
        try:
            if self._file.write(record) < len(record):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._file.truncate(end)
            raise WriteError(f"cannot write {self._path}: {error.strerror}") from None

    def close(self) -> None:
        self._file.close()


class _Board:
    """A file of events that TensorBoard shows. Its own writer would end for good, in a thread, where the disk is full."""

    def __init__(self, folder: Path, env_steps: int):
        from tensorboard.compat.proto.event_pb2 import SessionLog
        from tensorboard.summary.writer.record_writer import RecordWriter

        name = f"events.out.tfevents.{time.time_ns()}.{socket.gethostname()}.{os.getpid()}"
        self._records = RecordWriter(_Records(folder / name))
        self._event(file_version="brain.Event:2")
        # Events of earlier files from this step on are of steps that will be taken again.
        self._event(step=env_steps + 1, session_log=SessionLog(status=SessionLog.START))

    def write(self, env_steps: int, values: list[dict]) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._event(step=env_steps, summary=Summary(value=[Summary.Value(**value) for value in values]))

    def _event(self, **content) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._records.write(Event(wall_time=time.time(), **content).SerializeToString())

    def close(self) -> None:
        self._records.close()
