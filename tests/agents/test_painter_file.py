"""Painter files that were damaged on their way, and where Ray is not installed. More of them: ``test_paint.py``."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from spiral.agents.painter_file import load_painter, publish
from spiral.errors import InputError

EDGE = 150  # bytes at both ends of the file: the first entry's header, the directory of entries
BETWEEN = 250  # places that are tried in between


@pytest.fixture(scope="module")
def published(painter_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("published") / "mine.npz"
    publish(painter_file, path)
    return path


def places(content):
    step = (len(content) - 2 * EDGE) // BETWEEN
    return [*range(EDGE), *range(EDGE, len(content) - EDGE, step), *range(len(content) - EDGE, len(content))]


def test_a_painter_file_that_was_cut_anywhere_is_refused(published, tmp_path):
    path, content = tmp_path / "painter.npz", published.read_bytes()
    for at in places(content):
        path.write_bytes(content[:at])
        with pytest.raises(
            InputError, match=f"{path}( is not a painter file|: it is damaged .*; use another checkpoint$)"
        ):
            load_painter(path)


def test_a_painter_file_with_a_flipped_bit_is_refused_or_paints_as_before(published, tmp_path):
    """Not every byte of a zip file matters; where one does, it must not go by unseen."""
    path, content, whole = tmp_path / "painter.npz", published.read_bytes(), load_painter(published)
    weights, refused = whole.painter.state_dict(), 0
    for at in places(content):
        path.write_bytes(content[:at] + bytes([content[at] ^ (1 << at % 8)]) + content[at + 1 :])
        try:
            read = load_painter(path)
        except InputError as error:
            assert str(path) in str(error)
            refused += 1
            continue
        assert (read.run, read.env_steps) == (whole.run, whole.env_steps), at
        assert all(torch.equal(value, weights[name]) for name, value in read.painter.state_dict().items()), at
    assert refused > 0.5 * len(places(content))


def test_a_painter_file_is_loaded_and_paints_where_ray_is_not_installed(published):
    code = f"""
import sys
sys.modules["ray"] = None  # importing it raises ImportError
from spiral.agents.painter_file import load_painter
from spiral.paint import paint
trained = load_painter({str(published)!r})
print(len(paint(trained.painter, trained.run.env, 3, seed=0).programs), "ray" in sys.modules and sys.modules["ray"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "3 None\n"
