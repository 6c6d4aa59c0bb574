import pytest

from spiral.errors import InputError
from spiral.ray_session import check_gpus


def test_gpus_that_this_machine_has_not_are_not_waited_for():
    with pytest.raises(InputError) as error:
        check_gpus(1.5, 1.0)
    assert str(error.value) == (
        "the run asks for 1.5 GPUs, and Ray finds 1 on this machine; lower num_gpus_per_learner or "
        "discriminator.num_gpus (0 learns on CPUs), or give --address of a cluster that has them"
    )
    check_gpus(1.0, 1.0)
