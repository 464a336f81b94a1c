"""``runs.csv``: read, and added to."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from uda.atomic import write_text
from uda.errors import UserError
from uda.evaluation.result import COLUMNS, LATER_COLUMNS, RunResult, to_result
from uda.training.claim import claim


def read_csv(path: Path) -> list[RunResult]:
    """Read a ``runs.csv``; `UserError` naming the line that is broken."""
    rows = []
    for line, row in _rows(path):
        if isinstance(row, ValueError):
            raise UserError(f"{path}, line {line}: {row}")
        rows.append(row)
    return rows


def read_sound_rows(path: Path) -> tuple[list[RunResult], list[str]]:
    """Read the rows of a ``runs.csv`` that can be read, and say of the others what is wrong.

    Returns
    -------
    tuple
        The rows; and one sentence for each line that is broken.

    Raises
    ------
    UserError
        Where the whole file is not a table of runs.
    """
    rows, broken = [], []
    for line, row in _rows(path):
        if isinstance(row, ValueError):
            broken.append(f"line {line} of {path.name} is broken: {row}")
        else:
            rows.append(row)
    return rows, broken


def _rows(path: Path) -> Iterator[tuple[int, RunResult | ValueError]]:
    """Yield each row, or what is wrong with it, with its line number."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # spreadsheets put a mark before the header
            reader = csv.reader(file)
            header = _checked_header(path, next(reader, []))
            for values in reader:
                if values:
                    yield reader.line_num, _row(header, values)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: cannot be read as CSV ({error})") from error


def _checked_header(path: Path, header: list[str]) -> tuple[str, ...]:
    if len(header) < len(COLUMNS) - len(LATER_COLUMNS) or tuple(header) != COLUMNS[: len(header)]:
        raise UserError(f"{path}: is not a table of runs; its first line must be {','.join(COLUMNS)}")
    return tuple(header)


def _row(header: tuple[str, ...], values: list[str]) -> RunResult | ValueError:
    if len(values) != len(header):
        return ValueError(f"has {len(values)} values for {len(header)} columns")
    try:
        return to_result(dict(zip(header, values, strict=True)))
    except ValueError as error:
        return error


def export(results: Iterable[RunResult], path: Path) -> int:
    """Add runs to a ``runs.csv``: rows that are there stay as they are, and no config hash is written twice.

    A file of an older version gets the columns that it lacks, empty. The file is replaced in one step, so that a
    reader sees the old one or the new one; processes that add to it take turns.

    Parameters
    ----------
    results
        Finished runs.
    path
        The file; it is made, with its folder, where it does not exist.

    Returns
    -------
    int
        How many rows were added.

    Raises
    ------
    UserError
        Where the file is there and is not a table of runs.
    """
    with claim(path.parent, wait=True):
        return _add(results, path)


def _add(results: Iterable[RunResult], path: Path) -> int:
    present = {row.config_hash for row in read_csv(path)} if path.exists() else set()
    added = {result.config_hash: result for result in results if result.config_hash not in present}
    if path.exists() and not added:
        return 0
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    if path.exists():
        text.write(_with_all_columns(path.read_bytes().decode("utf-8")))
    else:
        writer.writeheader()
    writer.writerows({column: getattr(result, column) for column in COLUMNS} for result in added.values())
    write_text(path, text.getvalue())
    return len(added)


def _with_all_columns(text: str) -> str:
    """Return a table of runs with the columns that it lacks appended to each row, and nothing else touched."""
    text = text if text.endswith("\n") else text + "\n"
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines)
    lacking = len(COLUMNS) - len(next(reader))
    if not lacking:
        return text
    ends = {reader.line_num: ",".join(["", *COLUMNS[-lacking:]])}
    for values in reader:
        if values:
            ends[reader.line_num] = "," * lacking
    return "".join(
        line.rstrip("\r\n") + ends.get(number, "") + line[len(line.rstrip("\r\n")) :]
        for number, line in enumerate(lines, start=1)
    )
