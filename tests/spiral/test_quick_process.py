import platform
import subprocess
import sys

import pytest

# As in a network's layers: several arrays at once, all of them freed again. It prints the pages asked for from the system.
PAGES = """
import resource
import numpy as np
from spiral.quick_process import make_process_quick

def layers():
    for _ in range(20):
        each = [np.ones(megabytes * 2**17) for megabytes in (8, 4, 12)]

def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

if {quick}:
    make_process_quick()
layers()
before = pages()
layers()
print(pages() - before)
"""


# It prints a product that is no normal number, which in one process is seen as it is and in the other as 0.
PRODUCT = """
import torch
from spiral.quick_process import make_process_quick

if {quick}:
    make_process_quick()
print((torch.full((100,), 1e-30) * 1e-10).sum().item())
"""


def printed(program, quick):
    command = [sys.executable, "-c", program.format(quick=quick)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_freed_memory_is_used_again():
    assert printed(PAGES, quick=True) < 100
    assert printed(PAGES, quick=False) > 10_000


@pytest.mark.skipif(platform.machine() not in ("x86_64", "arm64", "aarch64"), reason="torch cannot tell the processor")
def test_numbers_that_are_no_normal_ones_are_0():
    assert printed(PRODUCT, quick=True) == 0.0
    assert printed(PRODUCT, quick=False) > 0.0
