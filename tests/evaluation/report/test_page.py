import html
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.evaluation.examples import result, tiny_run, write_run
from tests.evaluation.logged import logged_run, three_methods
from uda.errors import UserError
from uda.evaluation.report.page import make_report
from uda.evaluation.runs import export, find_runs

EVIL = "<script>alert('evil')</script>\"'&"


class Page(HTMLParser):
    """What a browser would see: elements with their attributes, and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def report(*paths: Path, checkpoints: bool = False, root: Path = Path()) -> str:
    return make_report(find_runs(paths), root, checkpoints=checkpoints)


def headings(text: str) -> list[str]:
    return re.findall(r"<figcaption><strong>Figure \d+\. ([^<]*)\.</strong>", text)


def left_out(text: str) -> dict[str, str]:
    items = re.findall(r"<li><strong>([^<]*)</strong>: ([^<]*)\.</li>", text)
    return {html.unescape(name): html.unescape(reason) for name, reason in items}


def test_runs_without_checkpoints_have_all_other_figures(tmp_path: Path) -> None:
    text = report(three_methods(tmp_path))
    assert headings(text) == [
        "Accuracy",
        "Learning curves",
        "Validators against accuracy",
        "Confusion, MNIST → USPS",
        "Confusion, USPS → MNIST",
    ]
    assert left_out(text) == {
        "Reliability, t-SNE, translations and interpolations": "what is drawn from checkpoints was not asked for"
    }


def test_what_runs_lack_is_left_out_and_said(tmp_path: Path) -> None:
    runs = three_methods(tmp_path / "runs", [("mnist", "usps")])
    for folder in runs.iterdir():
        (folder / "predictions.npz").unlink()
    (runs / "mnist-usps-unit-2" / "metrics.jsonl").unlink()
    text = report(runs, checkpoints=True)
    assert headings(text) == ["Accuracy", "Learning curves", "Validators against accuracy"]
    assert text.count("1 of the runs has no metrics.jsonl.") >= 2
    missing = left_out(text)
    assert "no run here has a predictions.npz" in missing["Confusion, MNIST → USPS"]
    for kind in ("Reliability", "Features", "Translations", "Interpolations"):
        assert missing[f"{kind}, MNIST → USPS"] == "no run that would be shown here kept its checkpoint.pt"


def test_a_runs_csv_gives_tables_and_bars(tmp_path: Path) -> None:
    export([result(seed=1), result(seed=2), result(method="dann")], tmp_path / "runs.csv")
    text = report(tmp_path / "runs.csv")
    assert headings(text) == ["Accuracy"]
    assert "their histories are unknown" in left_out(text)["Learning curves"]
    assert "No command: only its row in a runs.csv is known" in text


@pytest.fixture(scope="module")
def full_report(unit_run: Path) -> str:
    return report(unit_run, checkpoints=True)


PAIR = "grey.npz → colour.npz"


def test_what_can_be_drawn_from_a_checkpoint_is_drawn(full_report: str) -> None:
    assert headings(full_report)[3:] == [
        f"Confusion, {PAIR}",
        f"Reliability, {PAIR}",
        f"Features, {PAIR}, UNIT",
        f"Translations, {PAIR}",
        f"Interpolations, {PAIR}",
    ]
    assert left_out(full_report) == {}


def test_the_seed_whose_checkpoint_is_drawn_is_named(tmp_path: Path) -> None:
    (tiny_run(tmp_path, "unit", seed=1) / "checkpoint.pt").unlink()
    tiny_run(tmp_path, "unit", seed=2)
    assert report(tmp_path / "runs", checkpoints=True).count("At the last step. Seed 2.") == 4
    tiny_run(tmp_path, "source-only", seed=1)
    assert "At the last step. Seeds: Source only 1, UNIT 2." in report(tmp_path / "runs", checkpoints=True)


def test_a_method_that_only_translates_has_its_translations_drawn(tmp_path: Path) -> None:
    text = report(tiny_run(tmp_path, "cycada", blocks=1), checkpoints=True)
    assert f"Translations, {PAIR}" in headings(text)
    reason = "no method that is shown here has codes of images to interpolate between"
    assert left_out(text) == {f"Interpolations, {PAIR}": reason}


def test_missing_data_are_said(tmp_path: Path) -> None:
    run = tiny_run(tmp_path, "unit")
    (tmp_path / "grey.npz").unlink()
    text = report(run, checkpoints=True)
    assert headings(text)[-1] == f"Confusion, {PAIR}"
    missing = left_out(text)
    assert len(missing) == 4
    assert all("grey.npz" in reason for reason in missing.values())


def test_every_run_has_its_config_and_the_command_that_makes_it(tmp_path: Path) -> None:
    run = tiny_run(tmp_path / "run", "source-only")
    config = json.loads((run / "run.json").read_text(encoding="utf-8"))["config"]
    page = Page(report(run))
    assert json.dumps(config, indent=2) in page.said
    assert f"uda train --source npz:{tmp_path}/run/grey.npz --target npz:{tmp_path}/run/colour.npz" in page.said
    assert "--set width=4" in page.said
    anchors = {attributes.get("id") for _, attributes in page.elements}
    links = [attributes["href"] for attributes in page.named("a")]
    assert len(links) == 6
    assert all(link and link.removeprefix("#") in anchors for link in links)


def test_content_is_escaped(tmp_path: Path) -> None:
    run = result(preset=EVIL, notes=EVIL, source=f"npz:{EVIL}", code_version=EVIL, validator=EVIL, protocol=EVIL)
    folder = logged_run(tmp_path / "a", run, 50.0, 60.0)
    begun = write_run(tmp_path / "b", result(seed=2, preset=EVIL, protocol=EVIL), finished=False)
    (begun / "error.txt").write_text(f"ValueError: {EVIL}", encoding="utf-8")
    values = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    about = {"command": EVIL, "versions": {EVIL: EVIL}, "device": {"type": EVIL, "name": EVIL}}
    files = {"files": [{"name": EVIL, "checksum": EVIL, "verified": False}]}
    (folder / "run.json").write_text(json.dumps({**values, **about, **files}), encoding="utf-8")
    page = Page(make_report(find_runs([tmp_path]), tmp_path, title=EVIL, checkpoints=False))
    assert len(page.named("script")) == 1
    assert page.said.count("alert('evil')") > 10
    events = [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert not events


def test_nothing_is_asked_of_the_network(full_report: str) -> None:
    page = Page(full_report)
    for _, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            assert (attributes.get(name) or "#").startswith(("#", "data:")), attributes
    assert "@import" not in full_report
    assert set(re.findall(r"url\((.)", full_report)) <= {"#"}
    (policy,) = [a["content"] for a in page.named("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:; ")


def test_ids_are_unique_and_references_have_a_target(tmp_path: Path) -> None:
    text = report(three_methods(tmp_path))
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    used = set(re.findall(r'(?:xlink:href="#|url\(#)([^")]*)', text))
    assert used
    assert used <= set(ids)


def test_the_same_runs_give_the_same_page(tmp_path: Path) -> None:
    three_methods(tmp_path / "runs")
    assert report(tmp_path / "runs") == report(tmp_path / "runs")


def test_only_the_best_of_many_methods_are_drawn_one_by_one(tmp_path: Path) -> None:
    for number in range(12):
        run = result(method="unit", preset=f"p{number}", accuracy_last=50.0 + number)
        logged_run(tmp_path / str(number), run, 40.0, 50.0 + number)
    logged_run(tmp_path / "s", result(method="source-only", accuracy_last=30.0), 30.0)
    text = report(tmp_path)
    (figure,) = re.findall(r"<figure(?:(?!<figure).)*Confusion, .*?</figure>", text, flags=re.DOTALL)
    assert re.findall(r">(UNIT \(p\d+\)|Source only)</text>", figure) == [
        "Source only",
        "UNIT (p11)",
        "UNIT (p10)",
        "UNIT (p9)",
    ]
    (curves,) = re.findall(r"<figure(?:(?!<figure).)*Learning curves.*?</figure>", text, flags=re.DOTALL)
    assert ">Source only</text>" in curves
    assert sorted(map(int, re.findall(r">UNIT \(p(\d+)\)</text>", curves))) == list(range(4, 12))
    assert "Of each pair the 8 best that adapt, and the bounds." in curves
    assert "Shown: 4 of 13 methods: source only, and the best that adapt." in figure


def test_broken_and_unfinished_runs_are_named(tmp_path: Path) -> None:
    runs = three_methods(tmp_path)
    (runs / "mnist-usps-unit-2" / "result.json").write_text("{}", encoding="utf-8")
    shutil.rmtree(runs / "usps-mnist-dann-1")
    write_run(runs / "begun", result(method="dann", source="usps", target="mnist"), finished=False)
    said = Page(report(runs)).said
    assert "has no 'method'" in said
    assert "unfinished" in said


def test_no_finished_run_is_an_error(tmp_path: Path) -> None:
    write_run(tmp_path / "a", result(), finished=False)
    with pytest.raises(UserError, match="no finished run"):
        report(tmp_path)
