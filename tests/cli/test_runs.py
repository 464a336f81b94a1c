import re
import shutil
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from tests.conftest import Uda, refused
from tests.evaluation.examples import result, write_run
from uda.cli.main import cli
from uda.evaluation.runs import read_csv
from uda.training.checkpoint import load_model, read_checkpoint

NUMBER = re.compile(r"\d+(?:\.\d+)?")


def test_list_names_finished_and_unfinished_runs(tmp_path: Path) -> None:
    write_run(tmp_path / "a", result())
    write_run(tmp_path / "b", result(seed=2), finished=False)
    done = CliRunner().invoke(cli, ["runs", "list", str(tmp_path)])
    assert done.exit_code == 0
    assert result().config_hash in done.stdout
    assert done.stderr == "left out: 1 unfinished (b)\n"


def test_failed_and_broken_runs_are_named(tmp_path: Path) -> None:
    write_run(tmp_path / "a", result())
    failed = write_run(tmp_path / "b", result(seed=2), finished=False)
    (failed / "error.txt").write_text("ValueError: no\n", encoding="utf-8")
    (write_run(tmp_path / "c", result(seed=3)) / "result.json").write_text("{}", encoding="utf-8")
    (write_run(tmp_path / "d", result(seed=4), finished=False) / "run.json").write_text("[]", encoding="utf-8")
    done = CliRunner().invoke(cli, ["runs", "export", str(tmp_path), "-o", str(tmp_path / "runs.csv")])
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "left out: b: failed: ValueError: no",
        "left out: c: result.json: has no 'method'; it was not written by a finished run",
        "left out: d is broken: run.json: holds no JSON object; move that run's folder away and train again",
    ]


def test_export_twice_adds_nothing(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "a", result())
    output = tmp_path / "results" / "runs.csv"
    command = ["runs", "export", str(tmp_path / "runs"), "-o", str(output)]
    assert CliRunner().invoke(cli, command).stdout == f"{output}: 1 added, 0 already there\n"
    assert CliRunner().invoke(cli, command).stdout == f"{output}: 0 added, 1 already there\n"
    assert read_csv(output) == [result()]


def test_without_a_finished_run_no_file_is_written(tmp_path: Path, uda: Uda) -> None:
    run = write_run(tmp_path / "runs" / "a", result(), finished=False)
    command = ("runs", "export", tmp_path / "runs", "-o", tmp_path / "runs.csv")
    assert refused(uda(*command)) == "nothing to export: 1 run and none is finished; a: unfinished at step 0 of 2,000"
    write_run(tmp_path / "runs" / "b", result(seed=2), finished=False)
    (run / "run.json").write_text("[]", encoding="utf-8")
    assert refused(uda(*command)).startswith("nothing to export: 2 runs and none is finished; a is broken: run.json:")
    assert not (tmp_path / "runs.csv").exists()


def test_runs_are_found_through_the_environment(tmp_path: Path) -> None:
    write_run(tmp_path / "a", result())
    done = CliRunner().invoke(cli, ["runs", "list"], env={"UDA_RUNS": str(tmp_path)})
    assert result().config_hash in done.stdout


def test_a_bad_path_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["runs", "list", str(tmp_path / "nowhere")])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert "nowhere: no such file or folder" in done.stderr
    assert "Traceback" not in done.output


def test_a_slim_checkpoint_evaluates_alike_and_is_not_trained_on(
    uda: Uda, pair: tuple[str, str], tmp_path: Path
) -> None:
    train = ("train", "--source", pair[0], "--target", pair[1], "--method", "unit", "--set", "width=4", "--steps", "6")
    assert uda(*train, "--batch-size", "8").exit_code == 0
    (checkpoint,) = (tmp_path / "runs").glob("*/checkpoint.pt")
    small = tmp_path / "zoo" / "bars.pt"
    done = uda("runs", "slim", checkpoint, "-o", small)
    assert done.exit_code == 0, done.output
    assert small.stat().st_size < checkpoint.stat().st_size / 4
    whole, half = (load_model(path)[0].state_dict() for path in (checkpoint, small))
    for name, tensor in whole.items():
        assert half[name].dtype == tensor.dtype
        torch.testing.assert_close(half[name], tensor, rtol=1e-3, atol=1e-6)
    values = read_checkpoint(checkpoint)
    rounded = {name: t.half().float() if t.dtype == torch.float32 else t for name, t in values["model"].items()}
    torch.save({**values, "model": rounded}, tmp_path / "rounded.pt")
    paths = (checkpoint, small, tmp_path / "rounded.pt")
    said = [uda("eval", "--checkpoint", path).stdout.replace(str(path), "") for path in paths]
    assert said[1] == said[2]
    assert NUMBER.sub("", said[1]) == NUMBER.sub("", said[0])
    # Counts and percents as they are printed; scores of probabilities move with float16, whose rounding is 5e-4.
    whole_numbers, half_numbers = ([float(number) for number in NUMBER.findall(text)] for text in said[:2])
    assert half_numbers == pytest.approx(whole_numbers, rel=0, abs=5e-4)
    assert uda("translate", "--checkpoint", small, "-o", tmp_path / "grid.png").exit_code == 0
    assert "no validator's pick" in refused(uda("eval", "--checkpoint", small, "--weights", "pick"))

    assert "is the checkpoint itself" in refused(uda("runs", "slim", checkpoint, "-o", checkpoint))
    (checkpoint.parent / "result.json").unlink()
    shutil.copy(small, checkpoint)
    result = uda(*train, "--batch-size", "8")
    assert result.exit_code == 2
    assert "made small by `uda runs slim` and cannot be trained further" in result.stderr
