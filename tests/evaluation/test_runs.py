import codecs
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.evaluation.examples import result, write_run
from uda.errors import UserError
from uda.evaluation.runs import COLUMNS, export, find_runs, format_runs, read_csv, read_result
from uda.evaluation.table import build_tables
from uda.metrics.correctness import pack, unpack

ONE, TWO, THREE = (result(seed=seed, notes='a "quoted", note; ± another') for seed in (1, 2, 3))

TRACE = """Traceback (most recent call last):
  File "a.py", line 1, in <module>
    first()
OSError: the first

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
    raise ValueError
ValueError: the loss is 3
and more of it
"""


def test_columns_are_those_of_a_result_in_its_order() -> None:
    assert ",".join(COLUMNS) == (
        "method,preset,source,target,protocol,seed,steps,accuracy_last,accuracy_validator,accuracy_oracle,"
        "validator,validator_step,oracle_step,n_test,device,precision,seconds,steps_per_second,config_hash,"
        "code_version,notes,settings,correct_last,correct_validator,data"
    )


def test_finds_a_run_folder_and_folders_of_them(tmp_path: Path) -> None:
    write_run(tmp_path / "a", ONE)
    write_run(tmp_path / "sweep" / "b", TWO)
    write_run(tmp_path / "sweep" / "too" / "deep" / "c", THREE)
    (tmp_path / "not-a-run").mkdir()
    assert find_runs([tmp_path / "a"]).results == (ONE,)
    assert find_runs([tmp_path]).results == (ONE, TWO)


def test_a_run_without_a_result_says_what_it_is_and_what_became_of_it(tmp_path: Path) -> None:
    write_run(tmp_path / "a", ONE)
    begun = write_run(tmp_path / "b", TWO, finished=False)
    (begun / "metrics.jsonl").write_text('{"step": 200}\n{"step": 400}\n{"ste', encoding="utf-8")
    failed = write_run(tmp_path / "c", THREE, finished=False)
    (failed / "error.txt").write_text(TRACE, encoding="utf-8")
    found = find_runs([tmp_path])
    assert found.results == (ONE,)
    assert [(run.folder, run.seed, run.reason) for run in found.missing] == [
        (begun, 2, "unfinished at step 400 of 2,000"),
        (failed, 3, "failed: ValueError: the loss is 3"),
    ]
    assert found.missing[0].settings == found.results[0].settings
    assert found.folders == {ONE.config_hash: tmp_path / "a"}


def test_a_long_error_is_cut(tmp_path: Path) -> None:
    failed = write_run(tmp_path / "a", ONE, finished=False)
    (failed / "error.txt").write_text("RuntimeError: " + "x" * 500, encoding="utf-8")
    (run,) = find_runs([tmp_path]).missing
    assert len(run.reason) == len("failed: ") + 160
    assert run.reason.endswith("x…")


def test_a_run_that_is_finished_elsewhere_is_not_missing(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "a", ONE, finished=False)
    export([ONE], tmp_path / "runs.csv")
    found = find_runs([tmp_path / "runs", tmp_path / "runs.csv"])
    assert (found.results, found.missing) == ((ONE,), ())


def test_a_run_that_is_found_twice_counts_once(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "runs" / "a", ONE)
    export([ONE, TWO], tmp_path / "runs.csv")
    assert find_runs([tmp_path / "runs", folder, tmp_path / "runs.csv"]).results == (ONE, TWO)


def test_a_run_that_is_found_twice_with_two_results_is_said(tmp_path: Path) -> None:
    for name, accuracy in (("one", 0.0), ("two", 100.0)):
        write_run(tmp_path / name, replace(ONE, accuracy_last=accuracy))
    found = find_runs([tmp_path])
    assert [run.accuracy_last for run in found.results] == [0.0]
    assert found.broken == ("two is the run of one with another result",)


@pytest.mark.parametrize("first", ["runs.csv", "runs"])
def test_of_a_row_and_a_folder_with_another_result_the_folder_is_shown_and_the_row_is_said(
    first: str, tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "runs" / "a", replace(ONE, accuracy_last=1.0))
    export([ONE, TWO], tmp_path / "runs.csv")
    found = find_runs(sorted([tmp_path / "runs", tmp_path / "runs.csv"], key=lambda path: path.name != first))
    assert {run.config_hash: run.accuracy_last for run in found.results} == {
        ONE.config_hash: 1.0,
        TWO.config_hash: TWO.accuracy_last,
    }
    assert found.folders == {ONE.config_hash: folder}
    assert found.broken == ("runs.csv has another result of one of these runs",)


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
def test_a_broken_result_is_named_and_hides_no_other(tmp_path: Path, text: str, message: str) -> None:
    folder = write_run(tmp_path / "a", ONE)
    write_run(tmp_path / "b", TWO)
    (folder / "result.json").write_text(text, encoding="utf-8")
    found = find_runs([tmp_path])
    assert found.results == (TWO,)
    ((seed, reason),) = ((run.seed, run.reason) for run in found.missing)
    assert seed == 1
    assert re.match(message, reason)
    with pytest.raises(UserError, match=message):
        read_result(folder)


def test_a_folder_that_says_nothing_at_all_is_named(tmp_path: Path) -> None:
    write_run(tmp_path / "a", ONE)
    for name, run, result_json in (("b", "{", None), ("c", '{"config": 1}', None), ("d", "{", "{")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(run, encoding="utf-8")
        if result_json:
            (tmp_path / name / "result.json").write_text(result_json, encoding="utf-8")
    found = find_runs([tmp_path])
    assert found.results == (ONE,)
    assert [sentence.split(": ")[:2] for sentence in found.broken] == [
        ["b is broken", "run.json"],
        ["c is broken", "run.json"],
        ["d is broken", "result.json"],
    ]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("accuracy_last", 101.0, "accuracy_last is 101.0, not a percentage"),
        ("accuracy_last", float("nan"), "accuracy_last is nan, not a finite number"),
        ("accuracy_oracle", None, "has no 'accuracy_oracle'"),
        ("seed", "first", "seed is 'first', not a whole number"),
        ("seconds", float("inf"), "seconds is inf, not a finite number"),
        ("steps", float("inf"), "steps is inf, not a whole number"),
        ("n_test", 0, "n_test is 0"),
        ("correct_last", "AAAA", "correct_last is no packed list of 2007 bits"),
        ("correct_validator", pack(torch.ones(1999, dtype=torch.bool)), "correct_validator holds .* 2007 images"),
        (
            "correct_last",
            pack(torch.ones(2007, dtype=torch.bool)),
            "correct_last has 2,007 of 2,007 images right, .* accuracy_last: 90",
        ),
    ],
)
def test_impossible_values_are_named(tmp_path: Path, key: str, value: object, message: str) -> None:
    folder = write_run(tmp_path / "a", ONE)
    values = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    (folder / "result.json").write_text(json.dumps({**values, key: value}), encoding="utf-8")
    with pytest.raises(UserError, match=f"result.json: {message}"):
        read_result(folder)


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
    assert sorted(file.name for file in tmp_path.iterdir()) == [".lock", "runs.csv"]


def test_the_mark_that_spreadsheets_put_first_is_read_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    export([ONE], path)
    before = codecs.BOM_UTF8 + path.read_bytes()
    path.write_bytes(before)
    assert read_csv(path) == [ONE]
    assert export([ONE, TWO], path) == 1
    assert path.read_bytes().startswith(before)
    assert find_runs([path]).results == (ONE, TWO)


def test_what_is_exported_at_once_is_all_there(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    runs = [result(seed=seed) for seed in range(32)]
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda run: export([run], path), runs)) == 32
    assert sorted(run.seed for run in read_csv(path)) == list(range(32))


def test_export_refuses_another_table(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"other\.csv: is not a table of runs"):
        export([ONE], path)
    assert path.read_text(encoding="utf-8") == "a,b\n1,2\n"


def test_a_broken_line_is_named_and_hides_no_other(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    export([ONE, TWO, THREE], path)
    text = path.read_text(encoding="utf-8").replace("2007", "many", 1)
    path.write_text(text + "unit,default\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"runs\.csv, line 2: n_test is 'many'"):
        read_csv(path)
    found = find_runs([path])
    assert found.results == (TWO, THREE)
    assert found.broken == (
        "line 2 of runs.csv is broken: n_test is 'many', not a whole number",
        "line 5 of runs.csv is broken: has 2 values for 25 columns",
    )


def test_a_file_that_is_no_table_of_runs_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    for content in (b"", b"\xff\xfe", b"a,b\n1,2\n"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"runs\.csv: (is not a table of runs|cannot be read as CSV)"):
            find_runs([path])


def test_which_images_were_right_is_kept(tmp_path: Path) -> None:
    right = pack(torch.tensor([True, True, True, False]))
    run = result(n_test=4, accuracy_last=75.0, accuracy_validator=75.0, correct_last=right, correct_validator=right)
    export([run], tmp_path / "runs.csv")
    (read,) = read_csv(tmp_path / "runs.csv")
    (found,) = find_runs([write_run(tmp_path / "a", run)]).results
    assert read.correct_last == read.correct_validator == found.correct_last == found.correct_validator == right


@pytest.mark.parametrize("lacking", [",correct_last,correct_validator,data", ",data"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_of_an_older_version_is_read_and_gets_the_columns_that_it_lacks(
    tmp_path: Path, end: str, lacking: str
) -> None:
    old = ["a", "b,c", '"quoted"', "two\nlines\u2028here"]
    rows = [result(seed=seed, notes=notes) for seed, notes in enumerate(old)]
    path = tmp_path / "runs.csv"
    export(rows, path)
    kept = "," * (4 - lacking.count(","))  # of the settings and what follows them, all empty
    text = path.read_bytes().decode().replace(lacking, "").replace(",,,,\n", f"{kept}\n")
    path.write_bytes(text.rstrip("\n").replace("\n", end).encode())
    assert [row.notes for row in read_csv(path)] == [notes.replace("\n", end) for notes in old]
    before = path.read_bytes()
    assert export(rows[:1], path) == 0
    assert path.read_bytes() == before
    assert export([THREE], path) == 1
    after = path.read_bytes().decode()
    assert after.startswith(",".join(COLUMNS) + end)
    assert after.replace(lacking, "").replace(",,,,", kept).startswith(before.decode())
    assert read_csv(path)[-1] == THREE
    assert len(read_csv(path)) == 5


def test_which_data_were_read_is_kept_and_tells_rows_apart(tmp_path: Path) -> None:
    runs = [result(seed=seed, data=data) for seed, data in ((1, "a" * 12), (2, "a" * 12), (3, "b" * 12))]
    export([*runs, result(seed=4)], tmp_path / "runs.csv")
    read = read_csv(tmp_path / "runs.csv")
    assert [run.data[:1] for run in read] == ["a", "a", "b", ""]
    labels = [row.label for table in build_tables(read) for row in table.rows]
    assert sorted(labels) == ["UNIT, data aaaaaa", "UNIT, data bbbbbb", "UNIT, data unknown"]
    # where all that is known is one and the same, it tells nothing apart
    (row,) = build_tables([*read[:2], read[3]])[0].rows
    assert (row.label, row.cells["mnist", "usps"].seeds) == ("UNIT", (1, 2, 4))


def test_list_has_a_line_per_run() -> None:
    header, first, second = format_runs([ONE, TWO]).splitlines()
    assert header.split()[-4:] == ["last", "pick", "oracle", "config"]
    expected = "mnist usps unit default standard 1 2,000 90.00 89.00 91.00 " + ONE.config_hash
    assert " ".join(first.split()) == expected
    assert second.split()[5] == "2"


def test_what_a_real_run_leaves_is_read_whole(unit_run: Path) -> None:
    found = find_runs([unit_run])
    (run,) = found.results
    assert (found.missing, found.broken) == ((), ())
    for packed, accuracy in (
        (run.correct_last, run.accuracy_last),
        (run.correct_validator, run.accuracy_validator),
    ):
        assert 100 * float(unpack(packed, run.n_test).double().mean()) == pytest.approx(accuracy)
