import platform
import sys

import pytest
import torch

from spiral.denormals import denormals_as_zero

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "arm64", "aarch64"), reason="torch cannot tell the processor"
)


def product():
    """No normal number."""
    return (torch.full((100,), 1e-30) * 1e-10).sum().item()


def test_within_denormals_are_zero_and_afterwards_numbers_again():
    assert product() > 0
    with denormals_as_zero():
        assert product() == 0
        with denormals_as_zero():
            pass
        assert product() == 0
    assert product() > 0


def test_after_an_error_they_are_numbers_again():
    with pytest.raises(ZeroDivisionError), denormals_as_zero():
        raise ZeroDivisionError
    assert product() > 0


def test_who_had_them_as_zero_keeps_them_so():
    torch.set_flush_denormal(True)
    try:
        with denormals_as_zero():
            pass
        assert sys.float_info.min / 2 == 0
    finally:
        torch.set_flush_denormal(False)
