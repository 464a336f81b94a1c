"""The history of a run: whole, whatever happens while it is rewound, and refused where it is not the checkpoint's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.test_run import config_of, log_of
from uda.errors import UserError
from uda.training.record import Record
from uda.training.run import train


@pytest.fixture
def record(pair: tuple[str, str], tmp_path: Path) -> Record:
    record = Record(tmp_path / "run", config_of("source-only", pair))
    for step in (2, 4, 6):
        record.log({"step": step})
    return record


def test_what_is_after_a_step_or_cut_off_is_dropped(record: Record) -> None:
    with record.metrics.open("a") as file:
        file.write('{"st')
    record.rewind(4)
    assert record.metrics.read_text() == '{"step": 2}\n{"step": 4}\n'
    assert [path.name for path in record.folder.iterdir()] == ["metrics.jsonl"]


@pytest.mark.parametrize("line", ["[1]", "3", '{"stop": 6}', "null"])
def test_a_line_that_is_no_evaluation_is_dropped_with_all_behind_it(record: Record, line: str) -> None:
    first, *others = record.metrics.read_text().splitlines()
    record.metrics.write_text("\n".join([first, line, *others]) + "\n")
    record.rewind(6)
    assert record.metrics.read_text() == '{"step": 2}\n'


@pytest.mark.parametrize("text", ["[]", "3", "{}", '{"config_hash"', '{"config_hash": null}', "\udcff"])
def test_a_damaged_run_json_is_refused_in_one_sentence(record: Record, text: str) -> None:
    record.run.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match=r"run\.json: damaged; move the folder away and train again"):
        Record(record.folder, record.config)


@pytest.mark.parametrize("layout", [None, [], 3, {"compact": True}])
def test_a_layout_that_is_none_is_refused_in_one_sentence(record: Record, layout: object) -> None:
    record.run.write_text(json.dumps({"config_hash": record.config.hash, "layout": layout}))
    with pytest.raises(UserError, match=r"run\.json: damaged; move the folder away and train again"):
        assert Record(record.folder, record.config).layout


def test_a_history_of_which_nothing_is_dropped_is_not_written_again(record: Record) -> None:
    before = record.metrics.stat()
    record.rewind(6)
    after = record.metrics.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_history_stays_whole_where_rewinding_is_stopped(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    before = record.metrics.read_text()
    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        record.rewind(2)
    assert record.metrics.read_text() == before


@pytest.mark.parametrize("lines", [0, 1])
def test_a_checkpoint_whose_evaluations_are_lost_is_not_gone_on_with(
    lines: int, pair: tuple[str, str], tmp_path: Path
) -> None:
    config = config_of("source-only", pair)
    folder = train(config, tmp_path, tmp_path, quiet=True)
    (folder / "result.json").unlink()
    kept = (folder / "metrics.jsonl").read_text().splitlines(keepends=True)[:lines]
    (folder / "metrics.jsonl").write_text("".join(kept))
    with pytest.raises(UserError, match=r"metrics.jsonl: lacks the evaluation at step 6, of which checkpoint.pt is"):
        train(config, tmp_path, tmp_path, quiet=True)
    (folder / "checkpoint.pt").unlink()
    assert [line["step"] for line in log_of(train(config, tmp_path, tmp_path, quiet=True))] == [2, 4, 6]
