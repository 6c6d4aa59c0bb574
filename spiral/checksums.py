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
    sums = {path.name: _sum(path) for path in sorted(folder.iterdir())}
    (folder / SUMS_FILE).write_text(_text(sums))


def damaged_files(folder: Path, needed: Sequence[str]) -> list[str]:
    """Names of the files that are not as they were when the checksums were written, or cannot be read.

    Args:
        folder: that ``write_sums`` was called for.
        needed: names of files that must have a checksum.

    """
    try:
        text = (folder / SUMS_FILE).read_bytes().decode(errors="replace")
    except OSError:
        return [SUMS_FILE]
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in text.split("\n")[:-1])}
    if text != _text(sums) or not sums.keys() >= set(needed) or any("/" in name for name in sums):
        return [SUMS_FILE]
    return [name for name, digest in sums.items() if not _has_sum(folder / name, digest)]


def _has_sum(path: Path, digest: str) -> bool:
    try:
        return _sum(path) == digest
    except OSError:
        return False


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _text(sums: dict[str, str]) -> str:
    return "".join(f"{digest}  {name}\n" for name, digest in sums.items())
