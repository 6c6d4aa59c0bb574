"""Painters that come with the package: each was trained by the preset of its name; RESULTS.md has the commands."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def painter_names() -> list[str]:
    """The painters that can be named wherever one is asked for."""
    return sorted(path.stem for path in FOLDER.glob("*.npz"))


def painter_path(name: str) -> Path:
    """The file of one of them."""
    return FOLDER / f"{name}.npz"
