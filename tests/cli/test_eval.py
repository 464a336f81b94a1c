import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from tests.conftest import refused
from tests.evaluation.examples import CLASSES, namesakes, tiny_run, train_tiny, write_shapes
from uda.cli.main import cli


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run(tmp_path_factory.mktemp("run"), "source-only")


def evaluate(run: Path, *options: object) -> Result:
    command = ["eval", "--checkpoint", run / "checkpoint.pt", "--data-root", run.parent, *options]
    return CliRunner().invoke(cli, [str(word) for word in command])


def test_json_and_text_say_the_same(run: Path) -> None:
    values = json.loads(evaluate(run, "--json").stdout)
    assert values["accuracy"] == json.loads((run / "result.json").read_text(encoding="utf-8"))["accuracy_last"]
    assert [entry["name"] for entry in values["classes"]] == list(CLASSES)
    assert (values["comparison"], values["worst"], values["written"]) == (None, None, [])
    text = evaluate(run).stdout
    assert f"{values['accuracy']:.2f} % of {values['n_test']} images" in text
    assert f"calibration error: {values['calibration']['ece']:.4f} over" in text


def test_json_keys_stay_as_they_are(run: Path) -> None:
    """Scripts read them: one that goes, or changes its name, breaks them."""
    values = json.loads(evaluate(run, "--json", "--against", run / "checkpoint.pt").stdout)
    assert list(values) == [
        *("method", "preset", "source", "target", "protocol", "seed", "weights", "step", "domain", "split", "side"),
        *("images", "accuracy", "interval", "n_test", "calibration", "classes", "confusion", "notes"),
        *("comparison", "worst", "written"),
    ]
    assert list(values["calibration"]) == ["ece", "ece_equal_mass", "nll", "brier", "bins"]
    assert list(values["calibration"]["bins"][0]) == ["low", "high", "n", "confidence", "accuracy"]
    assert list(values["classes"][0]) == ["name", "n", "accuracy", "interval"]
    assert list(values["comparison"]) == [
        *("checkpoint", "run", "weights", "step", "accuracy", "other_accuracy", "only_this", "only_other", "p")
    ]


def test_any_domain_and_split(run: Path) -> None:
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    values = json.loads(evaluate(run, "--domain", result["source"], "--split", "train", "--json").stdout)
    assert (values["domain"], values["split"], values["side"], values["n_test"]) == (
        *(result["source"], "train", "source", 48),
    )
    assert (
        "accuracy on grey.npz train, as target: "
        in evaluate(run, "--domain", result["source"], "--split", "train", "--as", "target").stdout
    )


def test_domains_whose_files_have_one_name_are_told_apart(tmp_path: Path) -> None:
    pair = namesakes(tmp_path)
    run = train_tiny(tmp_path, "source-only", pair)
    (tmp_path / "three").mkdir()
    third = write_shapes(tmp_path / "three" / "photos.npz", colour=False, seed=3)
    assert "Source only (default), one/photos.npz → two/photos.npz, " in evaluate(run).stdout
    assert "accuracy on one/photos.npz test, as source: " in evaluate(run, "--domain", pair[0]).stdout
    assert "accuracy on three/photos.npz test, as target: " in evaluate(run, "--domain", third).stdout


def test_files_are_written_and_named(run: Path, tmp_path: Path) -> None:
    table, sheet = tmp_path / "predictions.csv", tmp_path / "worst.png"
    options = ("--predictions", table, "--worst", 3, "-o", sheet)
    done = evaluate(run, *options)
    assert done.stdout.endswith(f"\n\nwrote {table}\nwrote {sheet}\n")
    wrong = pd.read_csv(table).query("not correct").sort_values("confidence", ascending=False, kind="stable")
    values = json.loads(evaluate(run, *options, "--json").stdout)
    assert values["written"] == [str(table), str(sheet)]
    assert [entry["index"] for entry in values["worst"]] == wrong["index"].tolist()[:3]
    with Image.open(sheet) as image:
        assert image.format == "PNG"


def test_against_another_checkpoint(run: Path, tmp_path: Path) -> None:
    other = tiny_run(tmp_path, "source-only")  # the same images under another name
    assert "exact McNemar test, two-sided: p = 1\n" in evaluate(run, "--against", run / "checkpoint.pt").stdout
    sentence = refused(evaluate(run, "--against", other / "checkpoint.pt"))
    assert "a paired test needs the same images" in sentence


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--worst", "3"], "--worst and --output belong together"),
        (["-o", "worst.png"], "--worst and --output belong together"),
        (["--worst", "3", "-o", "worst.jpg"], "worst.jpg: pictures are written as PNG"),
        (["--predictions", "p.txt"], "p.txt: predictions are written as CSV or Parquet"),
        (["--domain", "minst"], "did you mean 'mnist'"),
        (["--against", "nowhere.pt"], "nowhere.pt: no such checkpoint"),
    ],
)
def test_bad_input_is_one_sentence(run: Path, options: list[str], words: str) -> None:
    assert words in refused(evaluate(run, *options))


def test_a_missing_checkpoint_is_an_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["eval", "--checkpoint", str(tmp_path / "nowhere.pt")])
    assert "nowhere.pt" in refused(done)
