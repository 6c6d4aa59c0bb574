import platform
import subprocess
import sys

import pytest

# As in a network's layers: several arrays at once, all of them freed again. It prints the pages asked for from the system.
PAGES = """
import resource
import numpy as np
from spiral.freed_memory import keep_freed_memory

def layers():
    for _ in range(20):
        each = [np.ones(megabytes * 2**17) for megabytes in (8, 4, 12)]

def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

if {kept}:
    keep_freed_memory()
layers()
before = pages()
layers()
print(pages() - before)
"""


def pages(kept):
    command = [sys.executable, "-c", PAGES.format(kept=kept)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_freed_memory_is_used_again():
    assert pages(kept=True) < 100
    assert pages(kept=False) > 10_000
