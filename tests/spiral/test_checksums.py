from __future__ import annotations

import shutil
import subprocess

import pytest

from spiral.checksums import SUMS_FILE, damaged_files, write_sums

NEEDED = ("painter.npz", "state.npz")


@pytest.fixture
def folder(tmp_path):
    for name in NEEDED:
        (tmp_path / name).write_bytes(name.encode() * 3)
    write_sums(tmp_path)
    return tmp_path


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ (1 << at % 8)]) + content[at + 1 :]


def test_a_folder_as_it_was_written(folder):
    assert damaged_files(folder, NEEDED) == []


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="no sha256sum here")
def test_the_sums_are_those_of_the_usual_tool(folder):
    done = subprocess.run(["sha256sum", "--check", SUMS_FILE], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == "painter.npz: OK\nstate.npz: OK\n"


@pytest.mark.parametrize("name", NEEDED)
def test_every_bit_that_is_flipped_is_found_in_its_file(folder, name):
    whole = (folder / name).read_bytes()
    for at in range(len(whole)):
        (folder / name).write_bytes(flipped(whole, at))
        assert damaged_files(folder, NEEDED) == [name], at


@pytest.mark.parametrize("name", NEEDED)
def test_a_file_that_is_cut_short_longer_or_gone(folder, name):
    whole = (folder / name).read_bytes()
    for content in (b"", whole[:-1], whole + b"\0"):
        (folder / name).write_bytes(content)
        assert damaged_files(folder, NEEDED) == [name]
    (folder / name).unlink()
    assert damaged_files(folder, NEEDED) == [name]
    (folder / name).mkdir()
    assert damaged_files(folder, NEEDED) == [name]


def test_damage_to_the_sums_themselves(folder):
    """A wrong digit may as well be a damaged file's; it is found in any case."""
    sums = folder / SUMS_FILE
    whole = sums.read_bytes()
    for at in range(len(whole) - 1):  # all but the end of the last line, which means nothing
        for content in (whole[:at], flipped(whole, at)):
            sums.write_bytes(content)
            assert damaged_files(folder, NEEDED) in ([SUMS_FILE], ["painter.npz"], ["state.npz"]), at
    sums.unlink()
    assert damaged_files(folder, NEEDED) == [SUMS_FILE]


def test_what_else_is_there_is_not_looked_at(folder):
    (folder / "my notes.txt").write_text("good one")
    with (folder / SUMS_FILE).open("a") as sums:
        sums.write(f"{'0' * 64}  ../secret\n{'0' * 64}  \0\n\n")
    assert damaged_files(folder, NEEDED) == []
