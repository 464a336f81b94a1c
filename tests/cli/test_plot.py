import itertools
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from tests.conftest import refused
from tests.evaluation.examples import result, tiny_run, write_run
from tests.evaluation.logged import three_methods
from uda.cli.main import cli
from uda.cli.plot import plot


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run(tmp_path_factory.mktemp("run"), "unit")


def of_runs(kind: str, runs: Path, *options: str) -> list[str]:
    return ["plot", kind, str(runs), *options]


def of_checkpoint(kind: str, run: Path, *options: str) -> list[str]:
    root = ["--data-root", str(run)]  # its domains are files
    return ["plot", kind, "--checkpoint", str(run / "checkpoint.pt"), *root, *options]


def test_every_kind_is_drawn(run: Path, tmp_path: Path) -> None:
    runs = three_methods(tmp_path / "runs")
    commands = {
        "curves": of_runs("curves", runs),
        "bars": of_runs("bars", runs),
        "confusion": of_runs("confusion", runs),
        "validators": of_runs("validators", runs),
        "tsne": of_checkpoint("tsne", run, "--images", "20"),
        "translations": of_checkpoint("translations", run),
        "interpolation": of_checkpoint("interpolation", run, "--ways", "1", "--steps", "3"),
        "reliability": of_checkpoint("reliability", run),
    }
    assert set(commands) == set(plot.commands)
    heads = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}
    for (kind, command), suffix in zip(commands.items(), itertools.cycle(heads), strict=False):
        output = tmp_path / "new" / f"{kind}.{suffix}"
        done = CliRunner().invoke(cli, [*command, "-o", str(output)])
        assert done.exit_code == 0, done.output
        assert done.stdout.startswith(f"wrote {output}\n")
        assert output.read_bytes().startswith(heads[suffix])


def test_a_figure_is_the_same_again_and_as_wide_as_asked(tmp_path: Path) -> None:
    runs = three_methods(tmp_path / "runs", [("mnist", "usps")])
    for name in ("one", "two"):
        command = of_runs("curves", runs, "--width", "page", "-o", str(tmp_path / f"{name}.png"))
        assert CliRunner().invoke(cli, command).exit_code == 0
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    with Image.open(tmp_path / "one.png") as image:
        assert image.width == 2100  # 7 inches of 300 pixels


def test_options_reach_the_figure(run: Path, tmp_path: Path) -> None:
    runs = three_methods(tmp_path / "runs")

    def said(*command: str) -> str:
        return CliRunner().invoke(cli, [*command, "-o", str(tmp_path / "f.svg")]).stdout

    assert "The axis begins at 70 %" in said(*of_runs("bars", runs, "--from", "auto"))
    assert "at the validator's pick" in said(*of_runs("bars", runs, "--headline", "validator"))
    assert said(*of_runs("curves", runs, "--quantity", "entropy")).splitlines()[1].startswith("Entropy over")
    assert "cycle" not in said(*of_checkpoint("translations", run, "--compact"))
    assert "10 held-out images of grey.npz" in said(*of_checkpoint("tsne", run, "--images", "20"))
    assert "each of 7 bins" in said(*of_checkpoint("reliability", run, "--bins", "7"))
    assert "percentage predicted" in said(*of_checkpoint("confusion", run, "--weights", "pick"))


@pytest.mark.parametrize(
    ("kind", "file"), [("curves", "metrics.jsonl"), ("validators", "metrics.jsonl"), ("confusion", "predictions.npz")]
)
def test_a_run_that_cannot_be_read_is_named_and_the_others_are_drawn(kind: str, file: str, tmp_path: Path) -> None:
    runs = three_methods(tmp_path / "runs")
    broken, *others = sorted(runs.iterdir())
    text = (broken / file).read_bytes()[:-20]
    (broken / file).write_bytes(text)
    done = CliRunner().invoke(cli, of_runs(kind, runs, "-o", str(tmp_path / "f.png")))
    assert done.exit_code == 0, done.output
    assert done.stderr.startswith(f"left out: {broken / file}: ")
    shutil.rmtree(broken)
    without = CliRunner().invoke(cli, of_runs(kind, runs, "-o", str(tmp_path / "g.png")))
    assert without.exit_code == 0, without.output
    assert (tmp_path / "f.png").read_bytes() == (tmp_path / "g.png").read_bytes()
    for other in others:
        (other / file).write_bytes(text[:9])
    assert f"{file}: " in refused(CliRunner().invoke(cli, of_runs(kind, runs, "-o", str(tmp_path / "h.png"))))


def test_predictions_of_a_run_with_a_damaged_checkpoint_are_drawn_and_it_is_named(tmp_path: Path) -> None:
    runs = three_methods(tmp_path / "runs")
    whole = CliRunner().invoke(cli, of_runs("confusion", runs, "-o", str(tmp_path / "f.png")))
    damaged = min(runs.iterdir()) / "checkpoint.pt"
    damaged.write_bytes(b"cut")
    done = CliRunner().invoke(cli, of_runs("confusion", runs, "-o", str(tmp_path / "g.png")))
    assert (done.exit_code, done.stdout) == (0, whole.stdout.replace("f.png", "g.png"))
    assert done.stderr.startswith(f"left out: the class names in {damaged}: truncated or not a checkpoint")
    assert (tmp_path / "f.png").read_bytes() == (tmp_path / "g.png").read_bytes()


def test_runs_that_are_left_out_are_named(tmp_path: Path) -> None:
    runs = three_methods(tmp_path / "runs")
    write_run(runs / "begun", result(seed=9), finished=False)
    done = CliRunner().invoke(cli, of_runs("bars", runs, "-o", str(tmp_path / "f.png")))
    assert "left out: 1 unfinished (begun)" in done.stderr


def test_what_is_wrong_is_one_sentence(tmp_path: Path, run: Path) -> None:
    runs = three_methods(tmp_path / "runs")
    for command, sentence in (
        (of_runs("bars", runs, "-o", "f.jpg"), "give a name that ends in .png, .pdf or .svg"),
        (of_runs("bars", runs, "--from", "100", "-o", "f.png"), "--from 100: give a percentage from 0 up to 100"),
        (of_runs("bars", runs, "--from", "low", "-o", "f.png"), "--from low: give a percentage"),
        (of_runs("curves", runs, "--quantity", "accurcy", "-o", "f.png"), "did you mean 'accuracy'"),
        (of_runs("curves", tmp_path / "nowhere", "-o", "f.png"), "no such file or folder"),
        (
            [*of_checkpoint("confusion", run, "-o", "f.png"), str(runs)],
            "give either RUNS, whose predictions are read, or --checkpoint",
        ),
        (of_checkpoint("tsne", tmp_path, "-o", "f.png"), "no such checkpoint"),
    ):
        assert sentence in refused(CliRunner().invoke(cli, command))
    assert not Path("f.png").exists()
