"""In which settings runs of one method and preset differ: what tells rows apart that have all else in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from uda.evaluation.folders import MissingRun, read_settings
from uda.evaluation.result import RunResult
from uda.evaluation.runs import FoundRuns
from uda.training.departures import in_words

#: Settings that a label names; of more it names the first, and the hash.
_MOST = 4

_Run = RunResult | MissingRun


def tell_settings(found: FoundRuns) -> FoundRuns:
    """Say in ``settings`` in what runs of one method, preset, pair and protocol differ, instead of by a hash.

    A run that no folder is known of, as those of a ``runs.csv``, is told as one of the same settings that has a folder,
    and else keeps its hash; so does one that has no other beside it to differ from.
    """
    folders = {**found.folders, **{run.config_hash: run.folder for run in found.missing}}
    settings = {config_hash: read_settings(folder) for config_hash, folder in folders.items()}
    everything: tuple[_Run, ...] = (*found.results, *found.unscored, *found.missing)
    differing = _differing(everything, settings)

    def words(run: _Run) -> str:
        own = settings.get(run.config_hash, {})
        known = [f"{key} {in_words(own[key])}" for key in differing.get((run.method, run.preset), ()) if key in own]
        return ", ".join([*known[:_MOST], f"… ({run.settings})"] if len(known) > _MOST else known)

    named = {(run.method, run.preset, run.settings): text for run in everything if (text := words(run))}

    def told(run: _Run) -> str:
        return named.get((run.method, run.preset, run.settings), run.settings)

    return replace(
        found,
        results=tuple(replace(run, settings=told(run)) for run in found.results),
        unscored=tuple(replace(run, settings=told(run)) for run in found.unscored),
        missing=tuple(replace(run, settings=told(run)) for run in found.missing),
    )


def _differing(
    runs: Iterable[_Run], settings: Mapping[str, Mapping[str, Any]]
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the settings that have more than one value on any pair, for each method and preset, in their order."""
    values: dict[tuple[str, str], dict[str, dict[Any, set[str]]]] = {}
    for run in runs:
        for key, value in settings.get(run.config_hash, {}).items():
            here = values.setdefault((run.method, run.preset), {}).setdefault(key, {})
            here.setdefault((run.protocol, run.pair), set()).add(repr(value))
    return {
        entry: tuple(key for key, by_pair in keys.items() if any(len(found) > 1 for found in by_pair.values()))
        for entry, keys in values.items()
    }
