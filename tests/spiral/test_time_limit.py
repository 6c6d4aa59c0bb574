from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from spiral import time_limit
from spiral.errors import ProcessError
from spiral.time_limit import at_most


def wait():
    time.sleep(60)


def test_a_block_that_takes_too_long_is_ended_with_the_message():
    with pytest.raises(ProcessError, match=r"^no answer in 1 s$"), at_most(1, lambda: "no answer in 1 s"):
        wait()


def test_a_block_in_time_is_left_alone():
    before = signal.getsignal(signal.SIGALRM)
    with at_most(60, str):
        pass
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_limit_holds_for_what_ray_waits_for(on_ray):
    @on_ray.remote
    class Silent:
        def answer(self):
            time.sleep(60)

    silent = Silent.remote()
    for waited_for in (lambda: on_ray.get(silent.answer.remote()), lambda: on_ray.wait([silent.answer.remote()])):
        with pytest.raises(ProcessError, match="^no answer$"), at_most(2, lambda: "no answer"):
            waited_for()
    on_ray.kill(silent)


def test_a_limit_within_a_limit():
    with at_most(60, lambda: "the outer one"):
        with pytest.raises(ProcessError, match="^the inner one$"), at_most(1, lambda: "the inner one"):
            wait()
        assert signal.getitimer(signal.ITIMER_REAL)[1] == 1.0
    with (
        pytest.raises(ProcessError, match="^the outer one$"),
        at_most(1, lambda: "the outer one"),
    ):
        with at_most(60, lambda: "the inner one"):
            pass
        wait()


def test_a_long_wait_is_told(monkeypatch, caplog):
    monkeypatch.setattr(time_limit, "QUIET_S", 1.0)
    with pytest.raises(ProcessError), at_most(3, str, waiting_for="the process"):
        wait()
    assert [record.getMessage() for record in caplog.records] == ["Waiting for the process, 3 s at most."]
    with pytest.raises(ProcessError), at_most(2, str):
        wait()
    assert len(caplog.records) == 1


def test_what_the_user_interrupts_is_interrupted():
    with pytest.raises(KeyboardInterrupt), at_most(60, str):
        raise KeyboardInterrupt


def test_other_errors_pass():
    with pytest.raises(ValueError, match="^wrong$"), at_most(60, str):
        raise ValueError("wrong")


def test_a_process_that_is_stopped_is_named():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        os.kill(child.pid, signal.SIGSTOP)
        with pytest.raises(ProcessError) as error, at_most(1, lambda: "no answer"):
            wait()
        assert re.fullmatch(rf"no answer \(stopped: .*\b{child.pid} \(python.*\).*\)", str(error.value))
        os.kill(child.pid, signal.SIGCONT)
        child.communicate(b"\n")


STOPPED_MEANWHILE = """
import time
from spiral.time_limit import at_most

with at_most(4, lambda: "no answer"):
    print("begun", flush=True)
    time.sleep(2)
"""


def test_time_in_which_the_process_itself_is_stopped_does_not_count():
    with subprocess.Popen([sys.executable, "-c", STOPPED_MEANWHILE], stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"begun\n"
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(5)
        os.kill(child.pid, signal.SIGCONT)
    assert child.returncode == 0


def test_in_another_thread_there_is_no_limit():
    done = []

    def limited():
        with at_most(0, str):
            done.append("in it")

    thread = threading.Thread(target=limited)
    thread.start()
    thread.join()
    assert done == ["in it"]
