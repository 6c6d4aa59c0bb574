"""A folder's checksums, by which damage to its files is found. ``sha256sum --check SHA256SUMS`` reads them, too."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

SUMS_FILE = "SHA256SUMS"


def write_sums(folder: Path) -> None:
    """Write down the checksums of all files in a folder.

    Raises:
        OSError: one cannot be read, or the sums cannot be written.
    """
    lines = [f"{_sum(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
    (folder / SUMS_FILE).write_text("".join(lines))


def damaged_files(folder: Path, names: Sequence[str]) -> list[str]:
    """Which of these files are not as they were when the checksums were written, or cannot be read.

    Args:
        folder: that ``write_sums`` was called for.
        names: of files in it; no others are looked at. The list of checksums is damaged where it lacks one of them.
    """
    try:
        lines = (folder / SUMS_FILE).read_bytes().decode(errors="replace").splitlines()
    except OSError:
        return [SUMS_FILE]
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    if not sums.keys() >= set(names):
        return [SUMS_FILE]
    return [name for name in names if not _has_sum(folder / name, sums[name])]


def _has_sum(path: Path, digest: str) -> bool:
    try:
        return _sum(path) == digest
    except OSError:
        return False


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
