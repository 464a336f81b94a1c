import re
from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from tests.evaluation.examples import result
from uda.errors import UserError
from uda.evaluation.runs import MissingRun, RunResult
from uda.evaluation.write import Arrangement, Format, write_tables
from uda.metrics.correctness import pack

RUNS = [
    result(seed=1, accuracy_last=95.0, accuracy_validator=94.0, accuracy_oracle=99.0, notes="usps: unverified"),
    result(seed=2, accuracy_last=97.0, accuracy_validator=95.0, accuracy_oracle=99.5, notes="usps: unverified"),
    result(
        method="dann", accuracy_last=90.5, accuracy_validator=96.0, accuracy_oracle=99.9, notes="usps: unverified; odd"
    ),
    result(method="source-only", accuracy_last=80.0, notes="usps: unverified"),
    result(method="target-only", accuracy_last=98.0, notes="usps: unverified"),
    result(source="svhn", target="mnist", accuracy_last=91.25, n_test=10_000),
]


def rows(markdown: str) -> dict[str, list[str]]:
    """The cells of a Markdown table by the first one."""
    lines = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in markdown.splitlines() if "|" in line]
    return {cells[0].removeprefix("&emsp;"): [cell.strip() for cell in cells[1:]] for cells in lines}


def footnotes(markdown: str) -> dict[str, str]:
    return dict(re.findall(r"^- <sup>(\S+)</sup> (.*)$", markdown, flags=re.MULTILINE))


def test_a_cell_has_three_numbers_and_their_count() -> None:
    text = write_tables(RUNS, "md", "none")
    table = rows(text)
    pair = "MNIST → USPS<sup>a</sup>"
    under = ("last", "pick", "oracle", "n")
    heads = [f"{pair}<br>{name}" for name in under] + [f"SVHN → MNIST<br>{name}" for name in under]
    assert table["Method"] == [*heads, "Average<br>last"]
    numbers = ["**96.00 ± 1.41**", "94.50 ± 0.71", "99.25 ± 0.35", "2", "91.25", "89.00", "91.00", "1", "93.62"]
    assert table["UNIT"] == numbers
    assert table["Source only"] == ["80.00", "89.00", "91.00", "1", "–", "", "", "", "–"]
    assert table["DANN"][:4] == ["90.50<sup>b</sup>", "**96.00**", "99.90", "1"]
    assert "Mean ± sample standard deviation over n seeds; one seed has none." in text
    assert "Oracle: the best on the target test split" in text
    assert "–: not run, or not reported." in text
    assert footnotes(text) == {"a": "usps: unverified", "b": "odd"}


def test_equal_counts_stand_in_one_column() -> None:
    text = write_tables(
        [result(seed=1), result(seed=2), result(source="svhn"), result(source="svhn", seed=2)], "md", "none"
    )
    assert rows(text)["Method"][0] == "n"
    assert rows(text)["UNIT"][0] == "2"


def test_one_seed_each_is_said_and_has_no_deviation() -> None:
    text = write_tables([result(), result(method="dann")], "md", "none")
    assert "One seed each, so there is no deviation." in text
    assert re.sub(r"MNIST → USPS ± [\d.]+ \(2,007 images\)", "", text).count("±") == 0


def test_what_the_test_set_allows_is_said_for_each_pair() -> None:
    runs = [result(accuracy_last=97.5), result(method="dann", accuracy_last=88.0), result(source="svhn", n_test=10_000)]
    # Wilson by hand: 1.96 sqrt(.975 .025 / 2007) = .0068, with 88 % .0142; 90 % of 10,000: .0059
    expected = "MNIST → USPS ± 0.7 to 1.4 (2,007 images); svhn → USPS ± 0.6 (10,000 images)"
    assert expected.replace("svhn", "SVHN") in write_tables(runs, "md", "none")


def test_half_widths_are_sorted_as_numbers() -> None:
    runs = [result(method=name, n_test=40, accuracy_last=a) for name, a in (("dann", 50.0), ("unit", 90.0))]
    # Wilson by hand: z² = 3.84; sqrt(.25 / 40 + 3.84 / 6400) / (1 + 3.84 / 40) 1.96 = .148; with 90 % .095
    assert "MNIST → USPS ± 9.5 to 14.8 (40 images)" in write_tables(runs, "md", "none")


def test_pairs_of_own_folders_with_the_same_last_names_are_told_apart() -> None:
    places = ("office", "home")
    runs = [result(source=f"npz:/data/{p}/art.npz", target=f"npz:/data/{p}/photo.npz") for p in places]
    for arrangement in get_args(Arrangement)[:2]:
        text = write_tables(runs, "md", "none", arrangement=arrangement)
        for place in places:
            assert f"{place}/art.npz → {place}/photo.npz" in text
        assert "| art.npz" not in text


def test_headline_chooses_the_first_column() -> None:
    text = write_tables(RUNS, "md", "none", "validator")
    assert rows(text)["UNIT"][:3] == ["94.50 ± 0.71", "**96.00 ± 1.41**", "99.25 ± 0.35"]
    assert rows(text)["UNIT"][-1] == "91.75"  # (94.5 + 89) / 2
    assert "Headline: pick." in text
    assert "Average: of pick over all pairs" in text


def test_best_is_never_a_bound_and_never_an_oracle() -> None:
    bold = re.findall(r"\*\*([\d.]+)[^*]*\*\*", write_tables(RUNS, "md", "none"))
    assert bold == ["96.00", "96.00"]  # DANN's pick and UNIT's last step, though target only and the oracles are higher


def test_one_method_alone_is_not_called_best() -> None:
    assert "**9" not in write_tables(RUNS[:2], "md", "none")


def test_equal_numbers_are_equally_best() -> None:
    text = write_tables([result(accuracy_last=90.001), result(method="dann", accuracy_last=90.002)], "md", "none")
    assert text.count("**90.00**") == 2


def test_second_best_is_underlined_where_there_are_three() -> None:
    runs = [result(), result(method="dann", accuracy_last=92.0), result(method="mcd", accuracy_last=91.0)]
    assert "<u>91.00</u>" in rows(write_tables(runs, "md", "none"))["MCD"]
    assert "underlined</u>: the second best" in write_tables(runs, "md", "none")
    assert "<u>" not in write_tables(runs[:2], "md", "none")


def test_rows_stand_under_their_kind() -> None:
    runs = [result(method=m) for m in ("target-only", "unit", "dann", "source-only", "of-tomorrow")]
    lines = [line.split(" | ")[0] for line in write_tables(runs, "md", "none").splitlines() if line.startswith("| ")]
    assert lines[2:] == [
        *("| Source only", "| *Adversarial*", "| &emsp;DANN", "| *Generative*", "| &emsp;UNIT"),
        *("| *Other*", "| &emsp;OF-TOMORROW", "| Target only"),
    ]


def test_average_is_of_rows_that_have_all_pairs() -> None:
    other = {"source": "svhn", "target": "mnist"}
    runs = [result(accuracy_last=90.0), result(accuracy_last=80.0, **other), result(method="dann", accuracy_last=99.0)]
    runs += [result(method="mcd", accuracy_last=70.0), result(method="mcd", accuracy_last=80.0, **other)]
    table = rows(write_tables(runs, "md", "none"))
    assert [table[name][-1] for name in ("DANN", "UNIT", "MCD")] == ["–", "**85.00**", "75.00"]


def test_published_average_is_as_precise_as_its_numbers_and_never_mixes_protocols() -> None:
    table = rows(write_tables(RUNS, "md", "all"))
    assert table["CyCADA"][-2] == "93.0"  # (95.6 + 90.4) / 2
    assert table["Self-ensembling (best)"][-2] == "98.75"  # (98.23 + 99.26) / 2 = 98.745
    assert table["ADDA"][-2] == table["PixelDA"][-2] == "–"


def test_published_rows_stand_under_the_headline_with_their_reference() -> None:
    table = rows(write_tables(RUNS, "md"))
    blank = ["", "", ""]
    reference = "ICML 2018 / arXiv 1711.03213"
    assert table["CyCADA"] == ["95.6 ± 0.2", *blank, "90.4 ± 0.4", *blank, "93.0", reference]
    assert table["SHOT (paper)"][0] == "98.0 ± 0.2"
    assert "*Published*" in table


def test_published_rows_of_another_protocol_are_marked() -> None:
    text = write_tables(RUNS, "md")
    table, notes = rows(text), footnotes(text)

    def said(cell: str) -> list[str]:
        return [notes[mark] for mark in "".join(re.findall(r"<sup>(.*)</sup>", cell)).split(",") if mark]

    assert said(table["CyCADA"][0]) == []
    assert said(table["CoGAN"][0]) == ["another protocol than ours, small: 2,000 MNIST and 1,800 USPS training images"]
    (unit,) = (
        line.split(" | ")
        for line in text.splitlines()
        if "NIPS 2017 / arXiv 1703.00848" in line and line.startswith("| &emsp;UNIT ")
    )
    assert said(unit[1]) == []
    assert said(unit[5]) == [
        "another protocol than ours, svhn-extra: SVHN extra (531,131 images) as source",
        "the best on the target test split during training: an oracle's number",
    ]
    assert said(table["DANN (as in ADDA protocol)"][4]) == []


@pytest.mark.parametrize(
    ("protocol", "pair", "method", "marked"),
    [
        ("cogan-small", ("mnist", "usps"), "CoGAN", False),
        ("cogan-small", ("mnist", "usps"), "CyCADA", True),
        ("unit-2017", ("mnist", "usps"), "CyCADA", False),
        ("unit-2017", ("svhn", "mnist"), "CyCADA", True),
        ("standard-balanced", ("mnist", "usps"), "CyCADA", False),
        ("embedded", ("mnist", "usps"), "CyCADA", True),
    ],
)
def test_which_published_protocol_is_ours(protocol: str, pair: tuple[str, str], method: str, marked: bool) -> None:
    text = write_tables([result(protocol=protocol, source=pair[0], target=pair[1])], "md")
    assert ("<sup>" in rows(text)[method][1]) is marked


def test_units_own_svhn_protocol_has_no_protocol_mark() -> None:
    text = write_tables([result(protocol="unit-2017", source="svhn", target="mnist", method="dann")], "md")
    (mark,) = re.findall(r"<sup>(.*)</sup>", rows(text)["UNIT"][1])
    assert footnotes(text)[mark].startswith("the best on the target test split")


def test_all_published_rows_carry_where_they_are_from() -> None:
    text = write_tables(RUNS[:1], "md", "all")
    table, notes = rows(text), footnotes(text)
    assert notes[re.findall(r"<sup>(\w+)</sup>", table["SHOT"][1])[0]].startswith("from the authors' code")
    assert (
        notes[re.findall(r"<sup>(\w+)</sup>", table["SBADA-GAN (unofficial re-run)"][1])[0]] == "somebody else's re-run"
    )
    assert (
        len([line for line in text.splitlines() if line.startswith("| &emsp;MCD |")]) == 2
    )  # full and small, not merged


def test_usps_in_esl_form_stands_beside_published_usps_and_says_so() -> None:
    text = write_tables([result(target="usps-esl")], "md")
    assert rows(text)["CyCADA"][1] == "95.6 ± 0.2"
    assert "USPS (ESL) is another form of USPS" in text
    assert "another form" not in write_tables([result(target="usps-esl")], "md", "none")


def test_pairs_without_published_numbers_have_no_published_rows() -> None:
    text = write_tables([result(source="rendered", target="optdigits")], "text")
    assert "Published" not in text
    assert "Reference" not in text


@pytest.mark.parametrize("form", ["md", "latex", "html", "text"])
def test_protocols_have_separate_tables_in_every_format(form: Format) -> None:
    text = write_tables([result(), result(protocol="cogan-small", seed=2)], form, "none")
    assert text.index("Protocol cogan-small:") < text.index("Protocol standard:")
    assert text.count("One seed each") == 2  # nothing was merged across protocols


# What went wrong is seen


def lost(run: RunResult, reason: str) -> MissingRun:
    names = ("method", "preset", "source", "target", "protocol", "seed", "steps", "validator", "precision", "settings")
    known = {name: getattr(run, name) for name in names}
    return MissingRun(Path("somewhere"), **known, config_hash="", unfinished=False, reason=reason)


def test_a_cell_whose_only_run_failed_is_a_dash_with_the_reason() -> None:
    missing = [lost(result(method="dann"), "failed: ValueError: no")]
    text = write_tables([result()], "md", "none", missing=missing)
    assert rows(text)["DANN"] == ["–", "–<sup>a</sup>", "", ""]
    assert footnotes(text) == {"a": "seed 1: failed: ValueError: no"}


def test_a_cell_that_lacks_a_seed_says_which_and_why() -> None:
    missing = [lost(result(seed=3), "unfinished at step 200 of 2,000")]
    text = write_tables([result(seed=1), result(seed=2)], "md", "none", missing=missing)
    assert rows(text)["UNIT"][:2] == ["2", "90.00 ± 0.00<sup>a</sup>"]
    assert footnotes(text) == {"a": "seed 3: unfinished at step 200 of 2,000"}


def test_a_protocol_without_a_finished_run_is_a_table_of_dashes() -> None:
    missing = [lost(result(protocol="cogan-small"), "failed: x")]
    text = write_tables([result()], "md", "none", missing=missing)
    small, standard = text.split("**Protocol standard")
    assert rows(small)["UNIT"] == ["–", "–<sup>a</sup>", "", ""]
    assert rows("|" + standard)["UNIT"][:2] == ["1", "90.00"]
    assert "nan" not in text.lower()


@pytest.mark.parametrize("form", ["md", "latex", "html", "text", "csv"])
def test_what_could_not_be_read_is_said_in_every_format(form: Format) -> None:
    broken = ["line 7 of runs.csv is broken: n is 'x'"]
    text = write_tables([result()], form, "none", broken=broken)
    assert "ine 7 of runs.csv is broken: n is " in text


# Tests of significance


def judged(method: str, rate: float, seed: int, **values: Any) -> RunResult:
    """A run on 1,000 images, of which the first are easy for every method."""
    bits = torch.arange(1000) < round(10 * rate)
    packed = pack(bits)
    known = {"accuracy_last": rate, "accuracy_validator": rate, "correct_last": packed, "correct_validator": packed}
    return result(method=method, seed=seed, n_test=1000, **{**known, **values})


def test_marks_stand_where_a_difference_may_be_chance() -> None:
    rates = {"source-only": 80.0, "unit": 90.0, "dann": 89.9, "mcd": 80.2}
    runs = [judged(method, rate, seed) for method, rate in rates.items() for seed in (1, 2, 3)]
    text = write_tables(runs, "md", "none")
    table = rows(text)
    assert table["UNIT"][1:4] == ["**90.00 ± 0.00**", "**90.00 ± 0.00**", "91.00 ± 0.00"]
    assert table["DANN"][1:4] == ["<u>89.90 ± 0.00</u><sup>†</sup>", "<u>89.90 ± 0.00</u><sup>†</sup>", "91.00 ± 0.00"]
    assert table["MCD"][1:3] == ["80.20 ± 0.00<sup>‡</sup>", "80.20 ± 0.00<sup>‡</sup>"]
    assert table["Source only"][1] == "80.00 ± 0.00"
    assert footnotes(text) == {
        "†": "not significantly different from the best of its column",
        "‡": "not significantly different from source only",
    }
    assert "adjusted by Benjamini and Hochberg's method for the 10 tests of this table, so that at most 5 % of" in text
    assert "a p against it is first multiplied by half the number of methods in its column" in text
    assert "one seed" not in text


def test_one_shared_seed_is_marked_as_not_tested() -> None:
    runs = [judged(method, rate, s) for s in (1, 2, 3) for method, rate in (("source-only", 80.0), ("unit", 90.0))]
    text = write_tables([*runs, judged("dann", 80.1, 1)], "md", "none")
    assert rows(text)["DANN"][1:3] == ["80.10<sup>§</sup>", "80.10<sup>§</sup>"]
    assert footnotes(text) == {
        "§": "shares one seed with the best of its column, or with source only: not tested against it"
    }
    assert "for the 2 tests of this table" in text
    assert "as the same data choose the best" not in text.lower()
    assert r"80.10$^{\S}$" in write_tables([*runs, judged("dann", 80.1, 1)], "latex", "none")


def test_where_all_share_one_seed_a_sentence_says_so_and_no_cell_is_marked() -> None:
    text = write_tables([judged("unit", 90.0, 1), judged("dann", 89.9, 1)], "md", "none")
    assert "Differences are not tested: methods share one seed, which says nothing of others." in text
    assert footnotes(text) == {}
    assert "Tested" not in text


def test_what_a_difference_must_be_is_that_of_the_tests() -> None:
    runs = [judged(m, r, s) for s in (1, 2) for m, r in (("source-only", 80.0), ("unit", 80.0), ("dann", 80.0))]
    # None of 6 is found: p below 0.05 / 6, of which 1 degree of freedom is cot(pi p / 2) = 76.
    assert "a difference over 2 seeds must be about 76 times its standard error." in write_tables(runs, "md", "none")
    # Of 10, p below 0.005: 127; multiplied by 3 / 2 before that, 191.
    runs += [judged("mcd", 80.0, s) for s in (1, 2)]
    text = write_tables(runs, "md", "none")
    assert "about 127 times its standard error; to the best of 3 methods, 191 times." in text


def test_what_is_not_tested_is_named() -> None:
    unknown = {"correct_last": "", "correct_validator": ""}
    runs = [judged("unit", 90.0, s) for s in (1, 2)] + [judged("dann", 89.9, s) for s in (1, 2)]
    runs.append(judged("mcd", 80.0, 1, **unknown))
    text = write_tables(runs, "md", "none")
    assert "Not tested: MCD on MNIST → USPS. Which test images they, or what they are compared with, got right" in text
    nothing = write_tables([result(), result(method="dann")], "md", "none")
    assert "Differences are not tested: which test images these runs got right is not known." in nothing
    alone = write_tables([result()], "md", "none")
    assert "Tested" not in alone
    assert "not tested" not in alone


def test_no_arrangement_hides_an_error() -> None:
    with pytest.raises(UserError, match="no finished run"):
        write_tables([], "md", arrangement="paper")
