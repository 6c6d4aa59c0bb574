"""Killed at any moment of writing a checkpoint: a whole one is always there, and the next is written as if nothing was."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from spiral.run_folder import CHECKPOINT_FILES, REPLACED, UNFINISHED, RunFolder

OPERATIONS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "os.scandir", "shutil.rmtree")


def write(folder, env_steps):
    with folder.new_checkpoint(env_steps) as beside:
        for name in CHECKPOINT_FILES:
            (beside / name).write_bytes(bytes(1000) + bytes([env_steps]))


def write_and_be_killed(folder, env_steps, at):
    """Write in a process that is killed before its file operation number ``at``; whether it came so far."""
    child = os.fork()
    if child == 0:
        left = at

        def count(event, arguments):
            nonlocal left
            if event in OPERATIONS:
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1

        sys.addaudithook(count)
        write(folder, env_steps)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.faults("killed while it writes a checkpoint, at every file operation")
@pytest.mark.parametrize("again", [False, True], ids=["a new step", "the same step again"])
def test_killed_at_every_file_operation_of_a_checkpoint(tmp_path, again):
    at = 0
    while True:
        folder = RunFolder(tmp_path / str(at))
        for env_steps in (1, 2, 3):
            write(folder, env_steps)
        killed = write_and_be_killed(folder, 3 if again else 4, at)
        newest = folder.checkpoint_to_go_on_from()
        assert int(newest.name.removeprefix(REPLACED)) in ((3,) if again else (3, 4)), at
        write(folder, 5)
        assert folder.checkpoint_to_go_on_from().name == "000000000005", at
        left = [path for path in folder.checkpoints.iterdir() if path.name.startswith((REPLACED, UNFINISHED))]
        assert left in ([], [newest]), at
        if not killed:
            break
        at += 1
    assert at > 10
