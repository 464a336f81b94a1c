"""Memory that is kept when it is freed, and large pages: told where it can be, and seen in what the system counts."""

from __future__ import annotations

import multiprocessing
import platform
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
import torch

from uda.training.memory import keep_freed_memory, use_large_pages

GLIBC = platform.libc_ver()[0] == "glibc"
LARGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def in_a_new_process(function: Callable[[], int]) -> int:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(function).result()


def large_kilobytes() -> int:
    keep_freed_memory()
    use_large_pages()
    held = torch.ones(1 << 24)  # 64 MiB
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    (found,) = (line for line in lines if line.startswith("AnonHugePages:"))
    return int(found.split()[1]) if len(held) else 0


def faults_of_new_tensors() -> int:
    keep_freed_memory()
    for _ in range(20):  # until the heap has grown
        torch.ones(1 << 22)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(1 << 22)  # 16 MiB, 4096 pages, freed at once
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_both_are_told_where_the_c_library_can():
    assert keep_freed_memory() == GLIBC
    if not GLIBC:
        assert not use_large_pages()


@pytest.mark.skipif(not GLIBC, reason="glibc is told")
def test_what_a_tensor_frees_the_next_one_gets():
    assert in_a_new_process(faults_of_new_tensors) < 4096


@pytest.mark.skipif(not GLIBC or not LARGE_PAGES.exists(), reason="needs glibc, and large pages of Linux")
def test_tensors_lie_in_large_pages():
    if "[never]" in LARGE_PAGES.read_text():
        pytest.skip("large pages are switched off here")
    assert in_a_new_process(large_kilobytes) > 32 * 1024
