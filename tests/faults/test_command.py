"""What can happen to ``spiral train`` and its processes, as a user runs it."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from spiral_command import LONGEST_S, Spiral, settings_of, until

from spiral import config
from spiral.run_folder import RunFolder

pytestmark = pytest.mark.slow

TRAIN = ("train", "debug", "--out", "run", "--env-steps", 10**9)
EVALUATED = "steps  Fréchet distance"
STALLED_S = 5  # that a process is stopped


def command_of(tiny_run, *changes):
    """Settings of a run with processes for runner and discriminator and many checkpoints."""
    always = ["num_env_runners=1", "discriminator.remote=true", "evaluate_minutes=0.02"]
    return settings_of(config.override(tiny_run, [*always, *changes]))


@contextlib.contextmanager
def started(*arguments, **options):
    """A command; none of its processes is left at the end."""
    command = Spiral(*arguments, **options)
    try:
        yield command
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in reversed(command.processes()):
                process.kill()
        command.process.wait()


def steps(line):
    return int(line.strip().partition(" ")[0].replace(",", ""))


def assert_goes_on(command):
    """It trains and measures, two times from now on: what was on its way is over by the second."""
    command.read()
    first = steps(command.read_until(EVALUATED))
    command.read_until(EVALUATED)
    assert steps(command.read_until(EVALUATED)) > first


def assert_all_gone(processes):
    gone = psutil.wait_procs(processes, timeout=LONGEST_S)
    assert not [process for process in gone[1] if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def clock(tmp_path_factory):
    """Environment of a command whose clock on the wall goes wrong, and the file that says by how many seconds."""
    folder = tmp_path_factory.mktemp("clock")
    source, library, shift = Path(__file__).with_name("shifted_clock.c"), folder / "clock.so", folder / "shift"
    if not shutil.which("cc"):
        return {}, None
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    shift.write_text("0")
    return {"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(shift)}, shift


@pytest.fixture(scope="module")
def running(tiny_run, tmp_path_factory):
    """One run, to which one thing after the other happens; with two runners, so with a server of weights."""
    with started(*TRAIN, *command_of(tiny_run, "num_env_runners=2"), cwd=tmp_path_factory.mktemp("command")) as command:
        command.read_until(EVALUATED)
        yield command


@pytest.mark.faults("a process is stopped for a while: runner, discriminator, server of weights")
@pytest.mark.parametrize("who", ["CanvasEnvRunner", "DiscriminatorLearner", "EnvRunnerStateServer"])
def test_a_process_that_is_stopped_for_a_while(running, who):
    process = running.find(who)
    process.suspend()
    time.sleep(STALLED_S)
    process.resume()
    assert_goes_on(running)
    assert process.is_running()


@pytest.mark.faults("the whole run is stopped for a while, by Ctrl-Z")
def test_ctrl_z(running):
    running.signal(signal.SIGSTOP)  # SIGTSTP has no effect where there is no terminal
    until(lambda: psutil.Process(running.process.pid).status() == psutil.STATUS_STOPPED)
    time.sleep(STALLED_S)
    running.signal(signal.SIGCONT)
    assert_goes_on(running)


@pytest.mark.faults("a process is killed: runner, discriminator, server of weights")
@pytest.mark.parametrize("who", ["EnvRunnerStateServer", "DiscriminatorLearner", "CanvasEnvRunner"])
def test_a_process_that_is_killed_comes_back(running, who):
    before = running.find_all(who)
    before[0].kill()
    assert_goes_on(running)
    until(lambda: len(after := running.find_all(who)) == len(before) and before[0] not in after)


@pytest.mark.faults("the driver is killed, and nothing of it is left")
def test_the_driver_is_killed(running):
    processes = running.processes()
    running.process.kill()
    code, _, _ = running.end()
    assert code == -signal.SIGKILL
    # Said by a process that outlives it.
    until(lambda: running.errors().endswith("go on with: spiral train --resume --out run\n"))
    assert_all_gone(processes)


@pytest.fixture(scope="module")
def gone_on_with(running, clock):
    """What ``--resume`` makes of the run whose driver was killed, with a clock that can be set wrong."""
    at = int(RunFolder(running.cwd / "run").newest_checkpoint().name)
    with started("train", "--resume", "--out", "run", cwd=running.cwd, env=clock[0]) as command:
        command.read_until(f"^Going on from {at:,} steps")
        yield command


@pytest.mark.faults("the clock on the wall jumps, by hours, forward and back")
def test_the_clock_on_the_wall_jumps(gone_on_with, clock):
    if not clock[0]:
        pytest.skip("no C compiler here")
    for hours in (5, -5):
        clock[1].write_text(str(hours * 3600))
        assert_goes_on(gone_on_with)
    seconds = [row["seconds"] for row in RunFolder(gone_on_with.cwd / "run").metrics()]
    assert seconds == sorted(seconds)
    assert seconds[-1] < 3 * 3600


@pytest.mark.faults("the run is told to end, by SIGTERM: it leaves a checkpoint and no process")
def test_sigterm(gone_on_with):
    processes, before = gone_on_with.processes(), gone_on_with.read()
    gone_on_with.process.terminate()
    code, said, errors = gone_on_with.end()
    assert (code, errors) == (0, "")
    assert said.endswith("Go on with: spiral train --resume --out run\n")
    newest = RunFolder(gone_on_with.cwd / "run").checkpoint_to_go_on_from()
    assert f"{int(newest.name):,} steps" in before + said
    assert_all_gone(processes)


IMPATIENT = "import spiral.agents.algorithm as algorithm; algorithm.PATIENCE_S = 90; algorithm.STOP_S = 3"


@pytest.fixture(scope="module")
def with_learner(tiny_run, tmp_path_factory):
    """A run with a process for the learner, that waits no longer than 90 s for anything."""
    folder = tmp_path_factory.mktemp("with_learner")
    with started(*TRAIN, *command_of(tiny_run, "num_learners=1"), cwd=folder, first=IMPATIENT) as command:
        command.read_until(EVALUATED)
        command.read_until(EVALUATED)
        yield command


def assert_goes_on_from_its_last_checkpoint(command, why):
    line = command.read_until("Going on from the last checkpoint$")
    assert re.fullmatch(rf"WARNING: {why}. Going on from the last checkpoint\n", line), line
    command.read_until("^Going on from .* steps and .* minutes$")
    assert_goes_on(command)


@pytest.mark.faults("a remote learner is killed; the run goes on from its last checkpoint by itself")
def test_a_learner_is_killed(with_learner):
    with_learner.find("_WrappedExecutable").kill()
    assert_goes_on_from_its_last_checkpoint(with_learner, r"a learner's process died \(is memory short\?\)")


@pytest.mark.faults("a process is stopped for ever: runner, learner; the wait has a limit")
@pytest.mark.parametrize("who", ["CanvasEnvRunner", "_WrappedExecutable"])
def test_a_process_that_is_stopped_for_ever(with_learner, who):
    process = with_learner.find(who)
    process.suspend()
    assert_goes_on_from_its_last_checkpoint(
        with_learner, rf"no rollout and no update in 90 s \(stopped: {process.pid} \(ray::.*\)\)"
    )


@pytest.mark.faults("after all that, the run ends in good order and leaves no process")
def test_the_end(with_learner):
    processes = with_learner.processes()
    with_learner.signal(signal.SIGINT)
    code, said, _ = with_learner.end()
    assert code == 0
    assert said.endswith("Go on with: spiral train --resume --out run\n")
    assert_all_gone(processes)


@pytest.mark.faults("killed again and again, at any moment")
def test_killed_again_and_again(tiny_run, tmp_path):
    folder = RunFolder(tmp_path / "run")
    alone = command_of(tiny_run, "num_env_runners=0", "discriminator.remote=false", "evaluate_minutes=0.01")
    with started(*TRAIN, *alone, cwd=tmp_path) as command:
        command.read_until(EVALUATED)
    before = int(folder.newest_checkpoint().name)
    for moment in (0.2, 0.7, 1.3):
        with started("train", "--resume", "--out", "run", cwd=tmp_path) as command:
            command.read_until(f"^Going on from {before:,} steps")
            command.read_until(EVALUATED)
            time.sleep(moment)
            command.process.kill()
            command.end()
        after = int(folder.checkpoint_to_go_on_from().name)
        assert after > before
        before = after


SMALL = 'mount -t tmpfs -o size=16m tmpfs /dev/shm && exec "$@"'


@pytest.mark.faults("/dev/shm is as small as in a container")
def test_little_shared_memory(tiny_run, tmp_path):
    within = ["unshare", "--mount", "sh", "-c", SMALL, "sh"]
    if not shutil.which("unshare") or subprocess.run([*within, "true"], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    arguments = ("train", "debug", "--out", "run", "--env-steps", 500, *command_of(tiny_run))
    with started(*arguments, cwd=tmp_path, within=within) as command:
        code, said, errors = command.end()
    assert (code, errors) == (0, "")
    assert re.search(r"^Done after [\d,]+ steps", said, re.MULTILINE)


@pytest.mark.faults("Ray does not start")
def test_ray_does_not_start(tiny_run, tmp_path):
    (tmp_path / "file").touch()
    with started(*TRAIN, *command_of(tiny_run), cwd=tmp_path, env={"RAY_TMPDIR": str(tmp_path / "file")}) as command:
        code, _, errors = command.end()
    assert code == 1
    assert re.fullmatch(
        r"Error: Ray did not start on this machine: .*; give it less other work and try again", errors.splitlines()[-1]
    )
    assert "Traceback" not in errors
    assert not (tmp_path / "run").exists()
