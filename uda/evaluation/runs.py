"""Runs: found in folders or in a ``runs.csv``, and listed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from uda.errors import UserError
from uda.evaluation.folders import MissingRun, read_missing, read_result, run_folders
from uda.evaluation.parts import DASH
from uda.evaluation.result import ACCURACIES, COLUMNS, RunResult
from uda.evaluation.runs_csv import export, read_csv, read_sound_rows

__all__ = [
    "COLUMNS",
    "FoundRuns",
    "MissingRun",
    "RunResult",
    "export",
    "find_runs",
    "format_runs",
    "read_csv",
    "read_result",
    "readable",
    "run_folders",
]


Read = TypeVar("Read")


@dataclass(frozen=True)
class FoundRuns:
    """What a search found.

    Attributes
    ----------
    results
        Finished runs, one per config hash, in the order found.
    missing
        Runs that were begun and have no result: still running, stopped, or failed.
    broken
        A sentence for each row or folder of which not even that can be said.
    folders
        The folder of each finished run that has one, by config hash.
    unscored
        Finished runs without an accuracy: no test image of their target has a label.
    """

    results: tuple[RunResult, ...]
    missing: tuple[MissingRun, ...] = ()
    broken: tuple[str, ...] = ()
    folders: Mapping[str, Path] = field(default_factory=dict)
    unscored: tuple[RunResult, ...] = ()


def find_runs(paths: Iterable[Path]) -> FoundRuns:
    """Find runs. What is broken in one of them hides none of the others.

    Parameters
    ----------
    paths
        Run folders, folders of run folders (up to two levels down), or ``runs.csv`` files.

    Raises
    ------
    UserError
        For a path that does not exist, holds no run at all, or is a file of something else.
    """
    search = _Search()
    for path in paths:
        if path.is_dir():
            folders = run_folders(path)
            if not folders:
                raise UserError(
                    f"{path}: no run folder in it, nor one or two levels below; give the folder of the runs"
                )
            for folder in folders:
                search.add_folder(folder)
        elif path.is_file() and path.suffix == ".csv":
            rows, broken = read_sound_rows(path)
            search.broken += broken
            search.add_rows(path, rows)
        elif path.exists():
            raise UserError(f"{path}: neither a run folder nor a .csv file of runs")
        else:
            raise UserError(f"{path}: no such file or folder; give run folders, folders of them, or a runs.csv")
    return search.found()


def readable(found: FoundRuns, read: Callable[[Path], Read]) -> tuple[FoundRuns, dict[str, Read]]:
    """Leave out finished runs of whose folders something cannot be read; each is told among those that are broken.

    Parameters
    ----------
    found
        From `find_runs`; a run without a folder stays.
    read
        Raises `UserError` for a folder that it cannot read.

    Returns
    -------
    tuple
        What is left, and what was read of each folder, by config hash.

    Raises
    ------
    UserError
        Where no run is left.
    """
    results, broken = [], []
    contents: dict[str, Read] = {}
    for result in found.results:
        try:
            if result.config_hash in found.folders:
                contents[result.config_hash] = read(found.folders[result.config_hash])
        except UserError as error:
            broken.append(str(error))
        else:
            results.append(result)
    if broken and not results:
        raise UserError(broken[0])
    return replace(found, results=tuple(results), broken=(*found.broken, *broken)), contents


@dataclass
class _Search:
    results: dict[str, RunResult] = field(default_factory=dict)
    missing: dict[Path, MissingRun] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    folders: dict[str, Path] = field(default_factory=dict)
    rows: list[tuple[Path, tuple[RunResult, ...]]] = field(default_factory=list)

    def add_folder(self, folder: Path) -> None:
        """Take in one run folder, whatever became of its run."""
        trouble = ""
        if (folder / "result.json").exists():
            try:
                result = read_result(folder)
            except UserError as error:
                trouble = _without_folder(error, folder)
            else:
                at = self.folders.setdefault(result.config_hash, folder)
                if at == folder:  # of a row and a folder the folder is shown: figures read it too
                    self.results[result.config_hash] = result
                elif _differ(self.results[result.config_hash], result):
                    self.broken.append(f"{folder.name} is the run of {at.name} with another result")
                return
        try:
            self.missing[folder] = read_missing(folder, trouble)
        except UserError as error:
            self.broken.append(f"{folder.name} is broken: {trouble or _without_folder(error, folder)}")

    def add_rows(self, path: Path, rows: Sequence[RunResult]) -> None:
        """Take in the rows of a ``runs.csv``."""
        self.rows.append((path, tuple(rows)))
        for row in rows:
            self.results.setdefault(row.config_hash, row)

    def found(self) -> FoundRuns:
        """Return what there is; a run that is finished in another place is not missing."""
        for path, rows in self.rows:
            if others := sum(_differ(self.results[row.config_hash], row) for row in rows):
                whose = "one of these runs" if others == 1 else f"{others} of these runs"
                self.broken.append(f"{path.name} has another result of {whose}")
        missing = tuple(run for run in self.missing.values() if run.config_hash not in self.results)
        scored = tuple(result for result in self.results.values() if result.scored)
        unscored = tuple(result for result in self.results.values() if not result.scored)
        return FoundRuns(scored, missing, tuple(dict.fromkeys(self.broken)), self.folders, unscored)


def _differ(known: RunResult, other: RunResult) -> bool:
    """Whether two results of one run have other accuracies, where it has any."""
    return known.scored and any(getattr(known, each) != getattr(other, each) for each in ACCURACIES)


def _without_folder(error: UserError, folder: Path) -> str:
    return str(error).replace(f"{folder}{os.sep}", "")


def format_runs(results: Sequence[RunResult]) -> str:
    """Write one line per run: what was run, and its three accuracies where it has any; in percent."""
    header = ("source", "target", "method", "preset", "protocol", "seed", "steps", "last", "pick", "oracle", "config")
    lines = [header] + [
        (
            *(run.source, run.target, run.method, run.preset, run.protocol, str(run.seed), f"{run.steps:,}"),
            *(f"{getattr(run, name):.2f}" if run.scored else DASH for name in ACCURACIES),
            run.config_hash,
        )
        for run in results
    ]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
