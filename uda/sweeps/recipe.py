"""A recipe: the TOML file that says which runs a pair's benchmark is made of."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from uda.data.domains import find_domain
from uda.errors import UserError, unknown
from uda.methods import METHODS
from uda.training.config import RunConfig
from uda.training.resolve import RUN_DEFAULTS, flatten, known_keys, preset_overrides, resolve, typed, with_seed

_COMMON_KEYS = ("seeds", *RUN_DEFAULTS, "augmentation", "settings")
_RECIPE_KEYS = ("source", "target", "protocol", *_COMMON_KEYS, "runs")
_RUN_KEYS = ("method", "preset", "choices", "ablations", *_COMMON_KEYS)


@dataclass(frozen=True)
class Choice:
    """What an entry's settings were chosen from, by a label-free validator.

    Attributes
    ----------
    method, preset
        The entry's.
    tried
        Settings, each a dict of the entry's own and what takes their place; the entry as it is comes first where it is
        not among them.
    configs
        A run for each, of seed 0, to be given a seed that is not reported.
    taken
        Which of them the recipe has.
    """

    method: str
    preset: str
    tried: tuple[Mapping[str, Any], ...]
    configs: tuple[RunConfig, ...]
    taken: int


@dataclass(frozen=True)
class Ablation:
    """An entry of which something is changed, to see what it is worth.

    Attributes
    ----------
    name
        What is changed, for people.
    settings
        Those that take the place of the entry's own; empty for the entry as it is.
    configs
        One run for each seed.
    """

    name: str
    settings: Mapping[str, Any]
    configs: tuple[RunConfig, ...]


@dataclass(frozen=True)
class Recipe:
    """A pair's benchmark, resolved.

    Attributes
    ----------
    path
        The file, as it was given.
    source, target, protocol
        The pair and its protocol.
    configs
        Every run, one seed of all methods after the other, so that a sweep that is stopped early compares all.
    choices
        Of the entries that have ``choices``: a list of tables, each of settings that take the place of the entry's.
    ablations
        Of the one entry that may have ``ablations``, a list of tables with a ``name`` and ``settings``: itself first.
    """

    path: Path
    source: str
    target: str
    protocol: str
    configs: tuple[RunConfig, ...]
    choices: tuple[Choice, ...] = ()
    ablations: tuple[Ablation, ...] = ()

    @property
    def name(self) -> str:
        """The file's name without ``.toml``; names the tables."""
        return self.path.stem

    def select(self, seeds: Iterable[int] = (), methods: Iterable[str] = ()) -> list[RunConfig]:
        """Return the runs with one of the seeds and one of the methods, where any are given, in order.

        A method is named with all its presets, ``"unit"``, or with one of them, ``"unit:unit-cpu"``.

        A seed that the recipe does not have gives every entry once with that seed: such runs are for choosing
        settings and validators on, and are no part of `configs`, from which the recipe's tables are made.

        Raises
        ------
        UserError
            For a method, or a preset of it, that the recipe does not have.
        """
        known_seeds = {config.seed for config in self.configs}
        known = {name for config in self.configs for name in entry_names(config)}
        wanted = set(methods) or known
        for method in methods:
            if method not in known:
                raise unknown(f"method of {self.name}", method, known)
        wanted_seeds = set(seeds) or known_seeds
        entries = {replace(config, seed=0).hash: config for config in self.configs}.values()
        others = [with_seed(config, seed) for seed in sorted(wanted_seeds - known_seeds) for config in entries]
        return [c for c in (*self.configs, *others) if c.seed in wanted_seeds and wanted & entry_names(c)]


def entry_names(entry: RunConfig | Choice) -> set[str]:
    """Return what an entry of a recipe may be asked for by: its method, and its method with its preset."""
    return {entry.method, f"{entry.method}:{entry.preset}"}


def spell(settings: Mapping[str, Any]) -> str:
    """Return settings as people read them in a table or a line of progress; empty for none."""
    return ", ".join(f"{key} = {value}" for key, value in settings.items())


def load_recipe(path: Path) -> Recipe:
    """Read and resolve a recipe.

    What stands in a ``[[runs]]`` entry wins over the method's preset, that over what is common to the recipe, and that
    over the defaults: a preset means the same in every recipe, and one that has an augmentation replaces the common
    one whole. Common ``[settings]`` go to each method that has a setting of that name. The precision is ``"fp32"``
    unless the recipe names another; it is never left to the machine, so that a recipe means the same runs everywhere.

    Raises
    ------
    UserError
        Naming the file and, where it is in one, the ``[[runs]]`` entry: for a file that cannot be read, an unknown
        key (with the nearest known one), a wrong value, a common setting that reaches no run, or two entries that a
        table could not tell apart.
    """
    table = _read_toml(path)
    try:
        return _build(path, table)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such recipe; give the path of a .toml file like those in benchmarks/") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a valid TOML file: {error}") from error


def _build(path: Path, table: Mapping[str, Any]) -> Recipe:
    _check_keys(table, _RECIPE_KEYS)
    pair = {key: find_domain(typed(key, _required(table, key), str)).name for key in ("source", "target")}
    pair["protocol"] = typed("protocol", table.get("protocol", "standard"), str)
    entries = _required(table, "runs")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise UserError("runs must be one or more [[runs]] tables")
    planned: list[tuple[int, int, RunConfig]] = []
    choices: list[Choice] = []
    ablations: list[Ablation] = []
    places: dict[tuple[str, str], int] = {}
    for place, entry in enumerate(entries, start=1):
        try:
            configs = _entry_configs(table, entry, pair)
            choices += _entry_choices(table, entry, pair)
            ablated = _entry_ablations(table, entry, pair)
            if ablated and ablations:
                raise UserError("has ablations like an entry before it; one entry of a recipe may have them")
            ablations += ablated
            key = (configs[0].method, configs[0].preset)
            if key in places:
                raise UserError(
                    f"has method {key[0]!r} and preset {key[1]!r} like entry {places[key]}, so a table could not tell "
                    "them apart; compare settings under choices (uda choose) or ablations (uda ablate) of one entry"
                )
        except UserError as error:
            where = "" if _is_common(error, table, entry, pair) else f"[[runs]] entry {place}: "
            raise UserError(f"{where}{error}") from error
        places[key] = place
        planned += [(turn, place, config) for turn, config in enumerate(configs)]
    _check_common_settings(table, list(places))
    planned.sort(key=lambda plan: plan[:2])
    runs = tuple(config for _, _, config in planned)
    return Recipe(path, pair["source"], pair["target"], pair["protocol"], runs, tuple(choices), tuple(ablations))


def _entry_configs(table: Mapping[str, Any], entry: Mapping[str, Any], pair: Mapping[str, str]) -> list[RunConfig]:
    """Resolve one ``[[runs]]`` entry, once per seed."""
    return [_resolve(table, entry, pair, seed) for seed in _seeds(table, entry)]


def _is_common(error: UserError, table: Mapping[str, Any], entry: Mapping[str, Any], pair: Mapping[str, str]) -> bool:
    """Whether an entry is refused for what stands above the entries: nothing of its own is needed for it."""
    bare = {key: entry[key] for key in ("method", "preset") if isinstance(entry.get(key), str)}
    method, preset = bare.get("method"), bare.get("preset", "default")
    if method not in METHODS or preset not in METHODS[method].presets:
        return False
    try:
        _entry_configs(table, bare, pair)
    except UserError as common:
        return str(common) == str(error)
    return False


def _seeds(table: Mapping[str, Any], entry: Mapping[str, Any]) -> tuple[int, ...]:
    seeds: tuple[int, ...] = typed("seeds", entry.get("seeds", table.get("seeds", [1])), tuple[int, ...])
    if not seeds or len(set(seeds)) != len(seeds):
        raise UserError("seeds must be one or more different whole numbers")
    return seeds


def _entry_choices(table: Mapping[str, Any], entry: Mapping[str, Any], pair: Mapping[str, str]) -> list[Choice]:
    """Resolve what the settings of a ``[[runs]]`` entry were chosen from, where it says so."""
    tried = entry.get("choices", [])
    if not isinstance(tried, list) or not all(isinstance(settings, dict) for settings in tried):
        raise UserError("choices must be a list of tables of settings, [{learning_rate = 1e-3}, …]")
    own = _resolve(table, entry, pair, 0)
    configs = [_resolve(table, entry, pair, 0, settings) for settings in tried]
    beside = entry.get("settings", {})
    tried = [{**beside, **settings} for settings in tried]
    if configs and own not in configs:
        tried, configs = [dict(beside), *tried], [own, *configs]
    if len({config.hash for config in configs}) != len(configs):
        raise UserError("two of its choices are the same run")
    return [Choice(own.method, own.preset, tuple(tried), tuple(configs), configs.index(own))] if configs else []


def _entry_ablations(table: Mapping[str, Any], entry: Mapping[str, Any], pair: Mapping[str, str]) -> list[Ablation]:
    """Resolve the ablations of a ``[[runs]]`` entry, itself first, where it has any."""
    tables = entry.get("ablations", [])
    wanted = {"name", "settings"}
    if not isinstance(tables, list) or not all(isinstance(each, dict) and set(each) == wanted for each in tables):
        raise UserError('ablations must be a list of {name = "no cycle", settings = {lambda_4 = 0.0}}, …')
    if not tables:
        return []
    seeds, found = _seeds(table, entry), []
    for each in ({"name": "as it is", "settings": {}}, *tables):
        name, settings = typed("name", each["name"], str), each["settings"]
        if not isinstance(settings, dict):
            raise UserError(f"the settings of ablation {name!r} must be a table")
        try:
            configs = tuple(_resolve(table, entry, pair, seed, settings) for seed in seeds)
        except UserError as error:
            raise UserError(f"ablation {name!r}: {error}") from error
        found.append(Ablation(name, settings, configs))
    if len({one.configs[0].hash for one in found}) < len(found) or len({one.name for one in found}) < len(found):
        raise UserError("two of its ablations are the same run, or have the same name")
    return found


def _resolve(
    table: Mapping[str, Any],
    entry: Mapping[str, Any],
    pair: Mapping[str, str],
    seed: int,
    settings: Mapping[str, Any] | None = None,
) -> RunConfig:
    """Resolve one run of an entry; other settings may take the place of its own."""
    _check_keys(entry, _RUN_KEYS)
    method = typed("method", _required(entry, "method"), str)
    if method not in METHODS:
        raise unknown("method", method, METHODS)
    preset = typed("preset", entry.get("preset", "default"), str)
    overrides = {"precision": "fp32", **_common(table, method, preset), **_overrides(entry), **(settings or {})}
    if overrides["precision"] == "auto":
        raise UserError("precision is 'auto', which differs between machines; name one, e.g. 'fp32'")
    return resolve(method, preset=preset, seed=seed, overrides=overrides, **pair)


def _common(table: Mapping[str, Any], method: str, preset: str) -> dict[str, Any]:
    """Return what is common to the recipe, this method has, and its preset leaves open."""
    fixed = preset_overrides(method, preset)
    augmented = "augmentation" in METHODS[method].presets[preset]
    return {
        key: value
        for key, value in _overrides(table).items()
        if key in known_keys(method) and key not in fixed and not (augmented and key.startswith("augmentation."))
    }


def _overrides(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the run settings, augmentation and method settings of a table as flat overrides."""
    for key in ("augmentation", "settings"):
        if not isinstance(table.get(key, {}), dict):
            raise UserError(f"{key} must be a table, [{key}]")
    run = {key: table[key] for key in (*RUN_DEFAULTS, "augmentation") if key in table}
    return flatten(run) | dict(table.get("settings", {}))


def _check_common_settings(table: Mapping[str, Any], entries: Sequence[tuple[str, str]]) -> None:
    """Refuse a common setting that no method of the recipe has, or that the preset of each that has it sets itself."""
    known = {key for method, _ in entries for key in known_keys(method)}
    for key, value in _overrides(table).items():
        if key not in known:
            raise unknown("setting of any method in this recipe", key, known)
        if not any(key in _common(table, *entry) or preset_overrides(*entry).get(key) == value for entry in entries):
            method, preset = next(entry for entry in entries if key in known_keys(entry[0]))
            fixed = preset_overrides(method, preset)
            own = repr(fixed[key]) if key in fixed else "an augmentation of its own"
            raise UserError(
                f"the common {key} = {value!r} reaches no run: preset {preset!r} of {method} has {own}, and wins; "
                "set it in the [[runs]] entries that are to have it"
            )


def _check_keys(table: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise unknown("key", key, known)


def _required(table: Mapping[str, Any], key: str) -> Any:
    if key not in table:
        raise UserError(f"has no {key!r}, which is required")
    return table[key]
