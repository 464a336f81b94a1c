"""The evaluations of many runs: found in run folders or in a CSV file, and written to one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uda.atomic import write_text
from uda.errors import UserError
from uda.evaluation.folders import read_trained_on
from uda.evaluation.history import Checkpoint, make_checkpoint, read_history
from uda.evaluation.runs import read_result, run_folders
from uda.metrics.validators import VALIDATORS

#: The columns before those of the validators; the run's are the first seven.
COLUMNS = (
    *("config_hash", "method", "preset", "source", "target", "protocol", "seed"),
    *("step", "target_test_accuracy"),
)
_RUN = COLUMNS[:7]
#: The column behind them, which files of older versions lack.
_TRAINED_ON = "trained_on"


@dataclass(frozen=True)
class History:
    """A finished run and its evaluations.

    Attributes
    ----------
    config_hash, method, preset, source, target, protocol, seed
        What was run.
    checkpoints
        At least one, in the order of their steps.
    trained_on
        Validators whose score is in the run's loss, as far as that is known.
    """

    config_hash: str
    method: str
    preset: str
    source: str
    target: str
    protocol: str
    seed: int
    checkpoints: tuple[Checkpoint, ...]
    trained_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoundHistories:
    """What a search found.

    Attributes
    ----------
    histories
        Finished runs, one per config hash, in the order found.
    unfinished
        Run folders without a result: still running, or stopped.
    broken
        A sentence for each finished run whose evaluations cannot be read.
    """

    histories: tuple[History, ...]
    unfinished: tuple[Path, ...]
    broken: tuple[str, ...] = ()


def find_histories(paths: Iterable[Path]) -> FoundHistories:
    """Find the evaluations of finished runs.

    Parameters
    ----------
    paths
        Run folders, folders of run folders (up to two levels down), or files that `write_histories` wrote.

    Raises
    ------
    UserError
        For a path that does not exist or holds no run, a file with a broken line, and where all runs are broken.
    """
    found: dict[str, History] = {}
    unfinished: dict[Path, None] = {}
    broken: dict[str, None] = {}
    for path in paths:
        if path.is_dir():
            folders = run_folders(path)
            if not folders:
                raise UserError(
                    f"{path}: no run folder in it, nor one or two levels below; give the folder of the runs"
                )
            finished = [folder for folder in folders if (folder / "result.json").exists()]
            unfinished.update((folder, None) for folder in folders if folder not in finished)
            histories = _read_folders(finished, broken)
        elif path.is_file():
            histories = read_histories(path)
        else:
            raise UserError(f"{path}: no such file or folder; give run folders, folders of them, or a history CSV")
        for history in histories:
            found.setdefault(history.config_hash, history)
    if broken and not found:
        raise UserError(next(iter(broken)))
    return FoundHistories(tuple(found.values()), tuple(unfinished), tuple(broken))


def _read_folders(folders: Iterable[Path], broken: dict[str, None]) -> list[History]:
    """Read finished run folders; what is wrong with one is added to ``broken``."""
    histories = []
    for folder in folders:
        try:
            result, checkpoints = read_result(folder), tuple(read_history(folder))
        except UserError as error:
            broken[str(error)] = None
            continue
        if not result.scored:
            broken[f"{folder}: has no accuracy to judge validators by, as its target has no test labels"] = None
        else:
            run = {name: getattr(result, name) for name in _RUN}
            histories.append(History(**run, checkpoints=checkpoints, trained_on=read_trained_on(folder)))
    return histories


def read_histories(path: Path) -> list[History]:
    """Read what `write_histories` wrote; `UserError` naming the line that is broken."""
    runs: dict[tuple[tuple[str, Any], ...], list[Checkpoint]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ())[: len(COLUMNS)] != COLUMNS:
                raise UserError(
                    f"{path}: is not a file of evaluations; its first line must begin {','.join(COLUMNS)}, "
                    "as --history writes it"
                )
            for row in reader:
                run, checkpoint = _read_row(row, f"{path}, line {reader.line_num}")
                runs.setdefault(run, []).append(checkpoint)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: cannot be read as CSV ({error})") from error
    return [
        History(**dict(run), checkpoints=tuple(sorted(checkpoints, key=lambda checkpoint: checkpoint.step)))
        for run, checkpoints in runs.items()
    ]


def _read_row(row: dict[str, str], where: str) -> tuple[tuple[tuple[str, Any], ...], Checkpoint]:
    try:
        scores = {name: value for name, value in row.items() if name not in (*COLUMNS, _TRAINED_ON) and value}
        checkpoint = make_checkpoint(row["step"], row["target_test_accuracy"], scores, where)
        run = {**row, "seed": int(row["seed"]), _TRAINED_ON: tuple(row.get(_TRAINED_ON, "").split())}
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{where}: is no evaluation ({error}); mend it, or write the file again") from error
    return tuple((name, run[name]) for name in (*_RUN, _TRAINED_ON)), checkpoint


def write_histories(histories: Iterable[History], path: Path) -> int:
    """Write one line per evaluated checkpoint, exactly as logged; the file is replaced in one step.

    Parameters
    ----------
    histories
        Of finished runs.
    path
        The file; it is made, with its folder, where it does not exist. What it holds is lost: to add to it, find its
        histories too.

    Returns
    -------
    int
        How many lines were written.
    """
    histories = list(histories)
    validators = names_of(histories)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, (*COLUMNS, _TRAINED_ON, *validators), lineterminator="\n", restval="")
    writer.writeheader()
    rows = [
        {name: getattr(history, name) for name in _RUN}
        | {"step": each.step, "target_test_accuracy": each.accuracy, _TRAINED_ON: " ".join(history.trained_on)}
        | dict(each.scores)
        for history in histories
        for each in history.checkpoints
    ]
    writer.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text.getvalue())
    return len(rows)


def names_of(histories: Sequence[History]) -> tuple[str, ...]:
    """Return every validator that scored any checkpoint: those that there are now in their order, then others."""
    scored = {name for history in histories for each in history.checkpoints for name in each.scores}
    return (*(name for name in VALIDATORS if name in scored), *sorted(scored - set(VALIDATORS)))
