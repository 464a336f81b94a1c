"""Whether bf16 costs accuracy: the embedded pair under fp32 and bf16, the same seeds, and an equivalence test.

    python benchmarks/speed/precision.py [--seeds 1-5] [--out results/speed]

The difference of the means counts as none if its 90 % confidence interval (Welch) lies within twice the standard
deviation between seeds: two one-sided tests at 5 %. Runs are kept in the run folder, so a second call is quick.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import replace
from pathlib import Path

from scipy import stats

from uda.cli.options import parse_seeds
from uda.sweeps.recipe import load_recipe
from uda.sweeps.runner import Workplace, sweep
from uda.training.config import RunConfig
from uda.training.pool import runs_at_a_time

RECIPE = Path(__file__).parent.parent / "rendered-optdigits.toml"


def accuracies(config: RunConfig, precision: str, seeds: list[int], runs: Path) -> list[float]:
    """Return the accuracy of each seed at the last step, in percent."""
    configs = [replace(config, precision=precision, seed=seed) for seed in seeds]
    command = "python benchmarks/speed/precision.py"
    place = Workplace(Path("data"), runs, jobs=runs_at_a_time("auto"), command=command)
    swept = sweep(configs, place, None, print)
    if swept.failures or swept.busy:
        raise SystemExit("; ".join(reason for _, reason in swept.failures) or "another process makes some of the runs")
    return [result.accuracy_last for result in swept.results]


def equivalence(one: list[float], two: list[float]) -> dict[str, float | bool]:
    """Return the difference of two means with its 90 % interval, the margin, and whether the one lies in the other."""
    interval = stats.ttest_ind(one, two, equal_var=False).confidence_interval(0.90)
    margin = 2 * (0.5 * (statistics.variance(one) + statistics.variance(two))) ** 0.5
    return {
        "difference": statistics.mean(one) - statistics.mean(two),
        "low": float(interval.low),
        "high": float(interval.high),
        "margin": margin,
        "equivalent": bool(-margin < interval.low and interval.high < margin),
    }


def main() -> None:
    """Train, compare, print and write ``precision.md`` and ``precision.json``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=parse_seeds, default=parse_seeds("1-5"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--out", type=Path, default=Path("results/speed"))
    arguments = parser.parse_args()
    recipe = load_recipe(RECIPE)
    lines = [
        "| method | fp32 | bf16 | bf16 - fp32 (90 % interval) | margin | equal |",
        "| :--- | ---: | ---: | ---: | ---: | :--- |",
    ]
    values = {}
    for method in ("source-only", "unit"):
        config = next(c for c in recipe.configs if c.method == method)
        reached = {p: accuracies(config, p, arguments.seeds, arguments.runs) for p in ("fp32", "bf16")}
        test = equivalence(reached["bf16"], reached["fp32"])
        values[method] = {**reached, **test}
        means = " | ".join(f"{statistics.mean(a):.2f} ± {statistics.stdev(a):.2f} ({len(a)})" for a in reached.values())
        lines.append(
            f"| {method} | {means} | {test['difference']:+.2f} ({test['low']:+.2f} to {test['high']:+.2f}) "
            f"| ±{test['margin']:.2f} | {'yes' if test['equivalent'] else 'not shown'} |"
        )
    text = "\n".join(lines) + "\n"
    print(text)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "precision.md").write_text(text)
    (arguments.out / "precision.json").write_text(json.dumps(values, indent=2) + "\n")


if __name__ == "__main__":
    main()
