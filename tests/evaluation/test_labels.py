from uda.evaluation.labels import (
    KINDS,
    adapts,
    domain_label,
    domain_labels,
    kind_heading,
    method_kind,
    method_label,
    pair_label,
    pair_labels,
    pair_order,
)
from uda.methods import METHODS


def test_methods_are_written_as_in_papers() -> None:
    names = ["unit", "dann", "adda", "mcd", "cogan", "source-only", "target-only"]
    assert [method_label(name) for name in names] == [
        "UNIT",
        "DANN",
        "ADDA",
        "MCD",
        "CoGAN",
        "Source only",
        "Target only",
    ]


def test_no_method_has_the_label_of_another_and_one_of_another_version_has_its_name() -> None:
    assert len({method_label(name) for name in METHODS}) == len(METHODS)
    assert method_label("mdd") == "MDD"


def test_domains_are_written_as_in_papers_and_ours_as_they_are() -> None:
    names = ["mnist", "usps", "usps-esl", "mnistm", "optdigits", "npz:/data/my shapes.npz", "folder:photos/"]
    labels = ["MNIST", "USPS", "USPS (ESL)", "MNIST-M", "optdigits", "my shapes.npz", "photos"]
    assert [domain_label(name) for name in names] == labels
    assert pair_label(("svhn", "mnist")) == "SVHN → MNIST"


def test_pairs_of_one_label_are_told_apart_by_as_many_parts_as_it_takes() -> None:
    office, home = (
        ("npz:/x/office/art.npz", "npz:/x/office/photo.npz"),
        ("npz:/x/home/art.npz", "npz:/x/home/photo.npz"),
    )
    copy = ("npz:/y/home/art.npz", "npz:/y/home/photo.npz")
    plain = ("mnist", "folder:/x/office")
    assert pair_labels([office, home, plain]) == {
        office: "office/art.npz → office/photo.npz",
        home: "home/art.npz → home/photo.npz",
        plain: "MNIST → office",
    }
    assert list(pair_labels([office, home, copy]).values()) == [
        "office/art.npz → office/photo.npz",
        "x/home/art.npz → x/home/photo.npz",
        "y/home/art.npz → y/home/photo.npz",
    ]
    assert pair_labels([office]) == {office: "art.npz → photo.npz"}
    assert pair_labels([]) == {}


def test_the_domains_of_a_pair_are_told_apart() -> None:
    assert pair_label(("folder:a/photos", "folder:b/photos")) == "a/photos → b/photos"
    assert pair_label(("folder:/x/a/photos", "folder:/y/a/photos")) == "x/a/photos → y/a/photos"
    assert pair_label(("mnist", "folder:x/MNIST")) == "MNIST → x/MNIST"
    assert pair_label(("mnist", "folder:MNIST")) == "mnist → folder:MNIST"  # no part of a path tells them apart
    assert pair_label(("folder:a/photos", "folder:a/photos")) == "photos → photos"  # they are one
    assert domain_labels(["folder:a/photos", "mnist", "folder:b/photos"]) == ("a/photos", "MNIST", "b/photos")
    twins = [("folder:a/photos", "folder:b/photos"), ("folder:c/a/photos", "folder:c/b/photos")]
    assert list(pair_labels(twins).values()) == ["a/photos → b/photos", "c/a/photos → c/b/photos"]


def test_pairs_come_in_the_usual_order() -> None:
    pairs = [("a", "b"), ("svhn", "mnist"), ("usps-esl", "mnist"), ("mnist", "usps")]
    assert sorted(pairs, key=pair_order) == [pairs[3], pairs[2], pairs[1], pairs[0]]


def test_every_method_says_its_kind_and_an_unknown_one_is_other() -> None:
    kinds = {name: method_kind(name) for name in METHODS}
    assert set(kinds.values()) <= set(KINDS) - {"other"}
    assert {"unit": "generative", "dann": "adversarial", "source-only": "source-only"}.items() <= kinds.items()
    assert method_kind("of-tomorrow") == "other"


def test_the_two_bounds_frame_the_kinds_and_need_no_heading() -> None:
    assert [kind for kind in KINDS if not adapts(kind)] == [KINDS[0], KINDS[-1]] == ["source-only", "target-only"]
    assert [kind_heading(kind) for kind in ("source-only", "self-training", "target-only")] == ["", "Self-training", ""]


def test_a_pair_of_paths_that_end_alike_is_told_apart_too() -> None:
    assert domain_labels(("folder:a/photos", "folder:b/photos")) == ("a/photos", "b/photos")
    assert domain_labels(("folder:photos", "npz:x/photos")) == ("photos", "x/photos")
    assert domain_labels(("folder:x/art", "folder:x/photos")) == ("art", "photos")
    assert domain_labels(("folder:a/photos", "folder:a/photos")) == ("photos", "photos")
    assert pair_label(("folder:a/photos", "folder:b/photos")) == "a/photos → b/photos"
