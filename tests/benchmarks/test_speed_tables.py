from pathlib import Path

from tables import PAIRS, render, write_runs


def test_the_runs_that_are_timed_make_a_whole_table_with_tests(tmp_path: Path) -> None:
    assert write_runs(tmp_path, methods=4, seeds=2) == 8 * len(PAIRS)
    text = render(tmp_path, "md")
    rows = [line for line in text.splitlines() if line.startswith("| &emsp;METHOD-")]
    assert len(rows) == 2
    assert all("–" not in row for row in rows)
    assert "adjusted by Benjamini and Hochberg's method for the" in text
    assert "left out" not in text
