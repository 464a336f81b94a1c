"""The memory that tensors are made in, on a CPU: kept when it is freed, and in large pages."""

from __future__ import annotations

import ctypes
import platform
from functools import cache

#: Bytes of the heap that are put into large pages: more than a step of any method here needs.
HEAP, LARGE_PAGE = 1 << 30, 1 << 21


def keep_freed_memory() -> bool:
    """Let glibc keep what tensors free and give it out again; return whether it was told so.

    By default it hands large blocks back to the system and gets them anew, zeroed page by page, in each step. What that
    costs differs between machines; `benchmarks/speed/memory.py` measures it.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # <malloc.h>
    return all(
        mallopt(option, size)
        for option, size in ((mmap_threshold, 1 << 30), (trim_threshold, (1 << 31) - 1), (top_pad, 1 << 26))
    )


@cache
def use_large_pages() -> bool:
    """Let Linux put the heap's next gigabyte into pages of 2 MiB, where it is used; return whether it was told so.

    A step walks through hundreds of megabytes, and each page of 4 KiB costs a look-up, in a virtual machine a double
    one. To be called after `keep_freed_memory`: else glibc gives the gigabyte back.
    """
    if platform.libc_ver()[0] != "glibc" or platform.system() != "Linux":
        return False
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    advice = 14  # MADV_HUGEPAGE of <sys/mman.h>
    block = libc.malloc(HEAP - LARGE_PAGE)  # below the threshold of `keep_freed_memory`, so that it is of the heap
    if not block:
        return False
    first = -(-block // LARGE_PAGE) * LARGE_PAGE
    told = libc.madvise(first, HEAP - 2 * LARGE_PAGE, advice)
    libc.free(block)
    return bool(told == 0)
