"""Processes that train beside each other have their threads, and end with the one that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from uda.training.pool import KilledError, in_processes, runs_at_a_time, training_process
from uda.training.probe import own_threads

#: Starts one process of a pool, says its number, and waits for it until somebody kills this one.
PARENT = """
import os, time
from uda.training.pool import training_process

if __name__ == "__main__":
    pool = training_process()
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 600).result()
"""


def test_each_has_the_threads_that_were_asked_for() -> None:
    with training_process(2) as pool:
        assert pool.submit(torch.get_num_threads).result() == 2
        assert pool.submit(os.getenv, "OMP_NUM_THREADS").result() == "2"


def test_those_that_the_environment_asks_for_are_had_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with own_threads():
        torch.set_num_threads(2)  # as torch does where it begins with that variable
        with training_process() as pool:
            assert pool.submit(torch.get_num_threads).result() == 2
        assert runs_at_a_time("cpu") == runs_at_a_time("cpu", 2)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="a process cannot be kept to some cores here")
def test_only_cores_that_this_process_may_use_count() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert runs_at_a_time("cpu", 1) == 1
    finally:
        os.sched_setaffinity(0, before)
    assert runs_at_a_time("cpu", 1) == len(before)


def squared(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2 if number else number // number


def test_a_process_that_is_killed_takes_no_other_work_with_it() -> None:
    made = dict(in_processes(squared, [1, 2, 3, 0, 4], 2))
    assert sorted(made) == [0, 1, 2, 3, 4]
    assert [made[number].result() for number in (1, 3, 4)] == [1, 9, 16]
    assert isinstance(made[2].exception(), KilledError)
    assert isinstance(made[0].exception(), ZeroDivisionError)


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
