"""Claims between processes."""

import subprocess
import sys
from pathlib import Path

from uda.training.claim import claim


def test_only_one_at_a_time(tmp_path: Path) -> None:
    with claim(tmp_path / "run") as first, claim(tmp_path / "run") as second, claim(tmp_path / "other") as third:
        assert (first, second, third) == (True, False, True)
    with claim(tmp_path / "run") as again:
        assert again


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
