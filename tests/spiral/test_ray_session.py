import subprocess
import sys

import psutil
import pytest

from spiral import ray_session
from spiral.errors import InputError
from spiral.ray_session import check_gpus, end_those_of_ray


def test_gpus_that_this_machine_has_not_are_not_waited_for():
    with pytest.raises(InputError) as error:
        check_gpus(1.5, 1.0)
    assert str(error.value) == (
        "the run asks for 1.5 GPUs, and Ray finds 1 on this machine; lower num_gpus_per_learner or "
        "discriminator.num_gpus (0 learns on CPUs), or give --address of a cluster that has them"
    )
    check_gpus(1.0, 1.0)


def test_what_is_left_of_an_ended_ray_is_ended(monkeypatch):
    monkeypatch.setattr(ray_session, "EXIT_S", 0.2)
    stuck, other = (
        subprocess.Popen([name, "-c", "input()"], executable=sys.executable, stdin=subprocess.PIPE)
        for name in ("ray::Stuck", "python")
    )
    try:
        end_those_of_ray([psutil.Process(each.pid) for each in (stuck, other)])
        assert stuck.wait(60) == -9
        assert other.poll() is None
    finally:
        for each in (stuck, other):
            each.kill()
            each.communicate()
