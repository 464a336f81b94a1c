from uda.evaluation.labels import domain_label, method_label, pair_label, pair_order


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


def test_domains_are_written_as_in_papers_and_ours_as_they_are() -> None:
    names = ["mnist", "usps", "usps-esl", "mnistm", "optdigits", "npz:/data/my shapes.npz", "folder:photos/"]
    labels = ["MNIST", "USPS", "USPS (ESL)", "MNIST-M", "optdigits", "my shapes.npz", "photos"]
    assert [domain_label(name) for name in names] == labels
    assert pair_label(("svhn", "mnist")) == "SVHN → MNIST"


def test_pairs_come_in_the_usual_order() -> None:
    pairs = [("a", "b"), ("svhn", "mnist"), ("usps-esl", "mnist"), ("mnist", "usps")]
    assert sorted(pairs, key=pair_order) == [pairs[3], pairs[2], pairs[1], pairs[0]]
