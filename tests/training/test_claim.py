"""Claims between processes."""

import subprocess
import sys
import threading
from pathlib import Path

from uda.training.claim import claim


def test_only_one_at_a_time(tmp_path: Path) -> None:
    with claim(tmp_path / "run") as first, claim(tmp_path / "run") as second, claim(tmp_path / "other") as third:
        assert (first, second, third) == (True, False, True)
    with claim(tmp_path / "run") as again:
        assert again


def test_a_folder_in_which_nothing_was_put_is_gone_and_may_be_claimed_again(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with claim(folder):
        assert folder.is_dir()
    assert not folder.exists()
    with claim(folder) as ours:
        assert ours
        (folder / "run.json").write_text("{}", encoding="utf-8")
    assert sorted(each.name for each in folder.iterdir()) == [".lock", "run.json"]


def test_whoever_waits_for_a_folder_that_is_taken_away_holds_the_new_one(tmp_path: Path) -> None:
    folder, held = tmp_path / "run", []

    def wait_for_it() -> None:
        with claim(folder, wait=True) as ours, claim(folder) as another:
            held.append((ours, another))

    with claim(folder):
        waiting = threading.Thread(target=wait_for_it)
        waiting.start()
        waiting.join(0.2)
        assert not held
    waiting.join()
    assert held == [(True, False)]


def test_the_claim_of_a_process_that_was_killed_is_gone(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom uda.training.claim import claim\n"
        "with claim(Path(sys.argv[1])) as ours:\n    print(ours, flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        with claim(tmp_path) as ours:
            assert not ours
        process.kill()
        process.wait()
        with claim(tmp_path) as ours:
            assert ours
