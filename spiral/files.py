"""Reading files of strangers, and writing files so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spiral.errors import InputError, WriteError

if TYPE_CHECKING:
    import numpy as np


WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def read_text(path: str | os.PathLike, what: str, most_bytes: int) -> str:
    """The text of a file, UTF-8.

    Args:
        path: of the file.
        what: it should be, for the messages: "a stroke program".
        most_bytes: it may have; a multiple of a MiB.

    Raises:
        InputError: it cannot be read, is larger, or is no text; the message names the file.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(most_bytes + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    if len(data) > most_bytes:
        raise InputError(f"{path}: larger than {most_bytes // 2**20} MiB, the most {what} may have")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not {what}: not a text file") from None


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of an ``.npz`` file, by name. Nothing in it is unpickled.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such file, or it is damaged.
    """
    import numpy as np  # not needed by every command

    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except OSError:
        raise
    except Exception as error:  # the readers of zip files raise almost anything for damaged ones
        raise ValueError(f"{error or type(error).__name__}".partition("\n")[0]) from error


def cache_folder() -> Path:
    """Where what was fetched or computed once is kept for the user; it may not exist yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spiral-painter"


def refuse_to_overwrite(sources: Sequence[str | os.PathLike], outputs: Sequence[str | os.PathLike]) -> None:
    """Refuse to write what is being read.

    Raises:
        InputError: one of the outputs is one of the sources.
    """
    for output in map(Path, outputs):
        if output.is_file() and any(Path(source).exists() and output.samefile(source) for source in sources):
            raise InputError(f"{output} is what is read; give the output another name")


@contextlib.contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[Path]:
    """A path beside ``path`` to write to; renamed to ``path`` when the block ends well, removed when it does not.

    The temporary name keeps the suffix, since writers choose their format by it.

    Raises:
        WriteError: the folder cannot be made or written, or ``path`` is a folder or read-only.
    """
    path = Path(path)
    if path.is_dir():
        raise WriteError(f"cannot write {path}: it is a folder; give a file name")
    if path.exists() and not path.stat().st_mode & WRITABLE:  # replacing it asks for no permission but the folder's
        raise WriteError(f"cannot write {path}: it is read-only; give another file name")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    except (FileExistsError, NotADirectoryError) as error:
        raise WriteError(f"cannot write {path}: {error.filename} is no folder; choose a folder") from None
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror}; choose a folder you may write to") from None
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        umask = os.umask(0)
        os.umask(umask)
        beside.chmod(0o666 & ~umask)  # mkstemp makes the file private; a written result is an ordinary file
        beside.replace(path)
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror or error}") from None
    finally:
        beside.unlink(missing_ok=True)
