import os
import stat

import pytest

from spiral.errors import InputError
from spiral.files import written_whole


def test_a_read_only_file_is_not_replaced(tmp_path):
    (tmp_path / "mine").write_text("before")
    (tmp_path / "mine").chmod(0o444)
    message = "cannot write .*mine: it is read-only; give another file name"
    with pytest.raises(InputError, match=message), written_whole(tmp_path / "mine"):
        pytest.fail("nothing is to be written")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert (tmp_path / "mine").read_text() == "before"


def test_the_file_appears_when_the_block_ends_and_not_before(tmp_path):
    path = tmp_path / "new folder" / "a.txt"
    with written_whole(path) as beside:
        beside.write_text("whole")
        assert beside.suffix == ".txt" and not path.exists()
    assert path.read_text() == "whole"
    assert os.listdir(path.parent) == ["a.txt"]


def test_a_failing_block_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="half-way"), written_whole(path) as beside:
        beside.write_text("new")
        raise RuntimeError("half-way")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_the_file_has_the_permissions_of_an_ordinary_one(tmp_path):
    ordinary, whole = tmp_path / "ordinary", tmp_path / "whole"
    ordinary.write_text("")
    with written_whole(whole):
        pass
    assert stat.S_IMODE(whole.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="it is a folder; give a file name"), written_whole(tmp_path):
        pass


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "a").write_text("")
    with (
        pytest.raises(InputError, match="cannot write .*b.txt: .*/a is no folder; choose a folder$"),
        written_whole(tmp_path / "a" / "b.txt"),
    ):
        pass
