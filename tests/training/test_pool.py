"""Processes that train beside each other have their threads, and end with the one that started them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import torch

from uda.training.pool import training_pool

#: Starts one process of a pool, says its number, and waits for it until somebody kills this one.
PARENT = """
import os, time
from uda.training.pool import training_pool

if __name__ == "__main__":
    pool = training_pool(1)
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 600).result()
"""


def test_each_has_the_threads_that_were_asked_for() -> None:
    with training_pool(1, 2) as pool:
        assert pool.submit(torch.get_num_threads).result() == 2
        assert pool.submit(os.getenv, "OMP_NUM_THREADS").result() == "2"


def test_they_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert running(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(600):
        if not running(child):
            break
        time.sleep(0.1)
    assert not running(child)


def running(process: int) -> bool:
    """Whether a process is there and has not ended; one whose end nobody has asked for counts as ended."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
