"""The run folder: run.json, metrics.jsonl, checkpoint.pt, predictions.npz, and result.json that says "finished"."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from uda.atomic import write_json, write_text
from uda.data.domains import FileRecord
from uda.data.protocols import TaskData
from uda.errors import UserError
from uda.training.config import RunConfig
from uda.training.probe import Layout
from uda.training.starts import Starts, read_starts


def is_finished(runs: Path, config: RunConfig) -> bool:
    """Tell whether a run is done, by its folder among those of ``runs``; none is made."""
    return (runs / config.name / "result.json").exists()


class Record:
    """One run's folder.

    Parameters
    ----------
    folder
        Where it is; made where it does not exist.
    config
        The run; a folder of another one is a `UserError`.
    """

    def __init__(self, folder: Path, config: RunConfig) -> None:
        self.folder, self.config = folder, config
        folder.mkdir(parents=True, exist_ok=True)
        self.run, self.metrics, self.checkpoint, self.predictions, self.result = (
            folder / name for name in ("run.json", "metrics.jsonl", "checkpoint.pt", "predictions.npz", "result.json")
        )
        if self.run.exists():
            self._check_owner()

    @property
    def finished(self) -> bool:
        """Whether the run is done."""
        return self.result.exists()

    @property
    def starts(self) -> Starts | None:
        """What became of its starts; None where it has but one, or has not chosen yet."""
        return read_starts(self.folder)

    @property
    def seed(self) -> int:
        """What it draws by: the config's seed, or that of the start that was kept."""
        starts = self.starts
        return self.config.seed if starts is None else starts.seed

    @property
    def end(self) -> int:
        """The step up to which it is trained."""
        return self.config.steps

    @property
    def layout(self) -> Layout | None:
        """The layout that the run was begun with, so that it goes on bit for bit; None before."""
        if not self.run.exists() or "layout" not in (begun := self._about()):
            return None
        try:
            return Layout(**begun["layout"])
        except TypeError as error:
            raise self._damaged() from error

    def check_data(self, task: TaskData) -> None:
        """Raise `UserError` where the run was begun on other data, so that going on would mix the two."""
        if self.checkpoint.exists():
            self.refuse_changed(task)

    def refuse_changed(self, task: TaskData) -> None:
        """Raise `UserError` where ``run.json`` names other data, or is not there to say."""
        if not self.run.exists():
            raise UserError(
                f"{self.folder}: was begun, but has no run.json, which says on what data and how; put it back, or move "
                "the folder away and train anew"
            )
        changed = changed_files(self._about(), task.files)
        if changed:
            raise UserError(
                f"{self.folder}: was begun with other data, {changed[0]} has changed since; put it back as it was, or "
                "move the folder away and train anew"
            )

    def begin(self, task: TaskData, about: dict[str, Any], layout: Layout) -> None:
        """Write ``run.json``: the config, what was read, the layout, and ``about`` (device, versions, command, …).

        Of a run that goes on ``earlier`` has, for each time that it was left, where, and what it had been made with.
        """
        files = [{"name": f.name, "checksum": f.checksum, "verified": f.verified} for f in task.files]
        config = {"config": self.config.to_dict(), "config_hash": self.config.hash}
        earlier = self._earlier()
        read = {"layout": asdict(layout), "files": files, "notes": list(task.notes)}
        write_json(self.run, {**config, **about, **read, **({"earlier": earlier} if earlier else {})})

    def _earlier(self) -> list[dict[str, Any]]:
        """Return by what the run was made up to where it was left, the first time first."""
        if not (self.run.exists() and self.checkpoint.exists()):
            return []
        begun = self._about()
        made = {name: begun[name] for name in ("command", "code_version", "versions", "device") if name in begun}
        return [*begun.get("earlier", []), {"until_step": self.last_step, **made}]

    def log(self, line: dict[str, Any]) -> None:
        """Append one evaluation to ``metrics.jsonl``."""
        with self.metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def history(self) -> list[dict[str, Any]]:
        """Return all evaluations so far, in order."""
        if not self.metrics.exists():
            return []
        return [json.loads(line) for line in self.metrics.read_text(encoding="utf-8").splitlines()]

    @property
    def last_step(self) -> int:
        """The step of the last evaluation so far; 0 before the first."""
        history = self.history()
        return int(history[-1]["step"]) if history else 0

    def rewind(self, step: int) -> None:
        """Drop the evaluations after a step, and a line that was cut off or is none: a resumed run makes them again."""
        if not self.metrics.exists():
            return
        written, kept = self.metrics.read_text(encoding="utf-8"), ""
        for line in written.splitlines():
            try:
                if json.loads(line)["step"] <= step:
                    kept += line + "\n"
            except (json.JSONDecodeError, KeyError, TypeError):
                break
        if kept != written:
            write_text(self.metrics, kept)

    def _about(self) -> dict[str, Any]:
        """Return ``run.json``."""
        try:
            about = json.loads(self.run.read_bytes())
        except ValueError as error:
            raise self._damaged() from error
        if not isinstance(about, dict):
            raise self._damaged()
        return about

    def _damaged(self) -> UserError:
        return UserError(f"{self.run}: damaged; move the folder away and train again")

    def _check_owner(self) -> None:
        owner = self._about().get("config_hash")
        if owner is None:
            raise self._damaged()
        if owner != self.config.hash:
            raise UserError(
                f"{self.folder}: holds the run of another config ({owner}, not {self.config.hash}); "
                "move it away or give another --runs folder"
            )


def changed_files(about: Mapping[str, Any], files: Iterable[FileRecord]) -> list[str]:
    """Return the names of files that are not what a ``run.json`` says was read, or that only one of the two has."""
    recorded = {file["name"]: file["checksum"] for file in about.get("files", [])}
    now = {file.name: file.checksum for file in files}
    return sorted(name for name in recorded.keys() | now.keys() if recorded.get(name) != now.get(name))
