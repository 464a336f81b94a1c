import json
from pathlib import Path

import pytest

from tests.evaluation.examples import result, write_run
from uda.errors import UserError
from uda.evaluation.runs import COLUMNS, export, find_runs, format_runs, read_csv

ONE, TWO, THREE = (result(seed=seed, notes='a "quoted", note; ± another') for seed in (1, 2, 3))


def test_columns_are_those_of_a_result_in_its_order() -> None:
    assert ",".join(COLUMNS) == (
        "method,preset,source,target,protocol,seed,steps,accuracy_last,accuracy_validator,accuracy_oracle,"
        "validator,validator_step,oracle_step,n_test,device,precision,seconds,steps_per_second,config_hash,"
        "code_version,notes,settings"
    )


def test_finds_a_run_folder_and_folders_of_them(tmp_path: Path) -> None:
    write_run(tmp_path / "a", ONE)
    write_run(tmp_path / "sweep" / "b", TWO)
    write_run(tmp_path / "sweep" / "too" / "deep" / "c", THREE)
    (tmp_path / "not-a-run").mkdir()
    assert find_runs([tmp_path / "a"]).results == (ONE,)
    assert find_runs([tmp_path]).results == (ONE, TWO)


def test_unfinished_runs_are_left_out_and_named(tmp_path: Path) -> None:
    write_run(tmp_path / "done", ONE)
    unfinished = write_run(tmp_path / "running", TWO, finished=False)
    found = find_runs([tmp_path])
    assert (found.results, found.unfinished) == ((ONE,), (unfinished,))


def test_a_run_that_is_found_twice_counts_once(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "runs" / "a", ONE)
    export([ONE, TWO], tmp_path / "runs.csv")
    assert find_runs([tmp_path / "runs", folder, tmp_path / "runs.csv"]).results == (ONE, TWO)


def test_settings_are_told_apart_by_what_is_not_a_column(tmp_path: Path) -> None:
    folders = [
        write_run(tmp_path / "a", ONE, {"width": 8}),
        write_run(tmp_path / "b", TWO, {"width": 8}),
        write_run(tmp_path / "c", result(source="svhn"), {"width": 8}),
        write_run(tmp_path / "d", THREE, {"width": 16}),
    ]
    a, b, c, d = (run.settings for run in find_runs(folders).results)
    assert a == b == c != d


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"result\.json: cannot be read as JSON"),
        ("[]", r"result\.json: holds no JSON object"),
        ('{"method": "unit"}', r"result\.json: has no 'preset'"),
    ],
)
def test_a_broken_result_is_named(tmp_path: Path, text: str, message: str) -> None:
    folder = write_run(tmp_path / "a", ONE)
    (folder / "result.json").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        find_runs([tmp_path])


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("accuracy_last", 101.0, "accuracy_last is 101.0, not a percentage"),
        ("accuracy_last", float("nan"), "accuracy_last is nan, not a percentage"),
        ("accuracy_oracle", None, "has no 'accuracy_oracle'"),
        ("seed", "first", "seed is 'first', not a int"),
        ("seconds", float("inf"), "seconds is inf, not a finite number"),
    ],
)
def test_impossible_values_are_named(tmp_path: Path, key: str, value: object, message: str) -> None:
    path = write_run(tmp_path / "a", ONE) / "result.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), key: value}), encoding="utf-8")
    with pytest.raises(UserError, match=message):
        find_runs([tmp_path])


def test_bad_paths_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nowhere: no such file or folder"):
        find_runs([tmp_path / "nowhere"])
    with pytest.raises(UserError, match="no run folder in it"):
        find_runs([tmp_path])
    (tmp_path / "note.txt").write_text("x", encoding="utf-8")
    with pytest.raises(UserError, match="neither a run folder nor"):
        find_runs([tmp_path / "note.txt"])


def test_export_reads_back_as_it_was(tmp_path: Path) -> None:
    run = result(accuracy_last=100 / 3, notes="1, 2; ±")
    assert export([run], tmp_path / "results" / "runs.csv") == 1
    assert read_csv(tmp_path / "results" / "runs.csv") == [run]
    assert (tmp_path / "results" / "runs.csv").read_text(encoding="utf-8").splitlines()[0] == ",".join(COLUMNS)


def test_export_never_writes_a_run_twice_and_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    assert export([ONE, ONE, TWO], path) == 2
    before = path.read_bytes()
    assert export([TWO, ONE], path) == 0
    assert path.read_bytes() == before
    assert export([ONE, THREE], path) == 1
    assert path.read_bytes().startswith(before)
    assert read_csv(path) == [ONE, TWO, THREE]
    assert [file.name for file in tmp_path.iterdir()] == ["runs.csv"]


def test_export_refuses_another_table(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"other\.csv: is not a table of runs"):
        export([ONE], path)
    assert path.read_text(encoding="utf-8") == "a,b\n1,2\n"


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    export([ONE, TWO], path)
    path.write_text(path.read_text(encoding="utf-8").replace("2007", "many", 1), encoding="utf-8")
    with pytest.raises(UserError, match=r"runs\.csv, line 2: n_test is 'many'"):
        read_csv(path)


def test_list_has_a_line_per_run() -> None:
    header, first, second = format_runs([ONE, TWO]).splitlines()
    assert header.split()[-4:] == ["last", "pick", "oracle", "config"]
    expected = "mnist usps unit default standard 1 2,000 90.00 89.00 91.00 " + ONE.config_hash
    assert " ".join(first.split()) == expected
    assert second.split()[5] == "2"
