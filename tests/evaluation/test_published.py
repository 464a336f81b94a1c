from uda.evaluation.published import MAIN, load_published, published_name, select_published


def test_every_number_is_a_percentage_of_a_known_kind_and_stands_once() -> None:
    rows = load_published()
    keys = {(row.method, row.source, row.target, row.protocol) for row in rows}
    assert len(keys) == len(rows) > 200
    for row in rows:
        assert 0 < float(row.accuracy) <= 100
        assert row.std == "" or 0 <= float(row.std) < 20
        assert row.protocol in ("full", "small", "svhn-extra")
        assert row.provenance in ("quoted", "authors", "rerun")
        assert 2010 < row.year < 2030


def test_numbers_of_the_unit_paper() -> None:
    found = {(r.source, r.target): (r.accuracy, r.protocol, r.notes) for r in load_published() if r.method == "UNIT"}
    assert found == {
        ("svhn", "mnist"): ("90.53", "svhn-extra", "best-on-target-test"),
        ("mnist", "usps"): ("95.97", "full", ""),
        ("usps", "mnist"): ("93.58", "full", ""),
    }


def test_numbers_are_shown_as_printed() -> None:
    texts = {row.text for row in load_published() if row.method in ("ADDA", "CoGAN (authors PyTorch, full)")}
    assert texts == {"89.4 ± 0.2", "90.1 ± 0.8", "76.0 ± 1.8", "95", "93"}


def test_selections_of_a_pair() -> None:
    pair = [("mnist", "usps")]
    every, main = select_published(pair, "all"), select_published(pair, "main")
    assert select_published(pair, "none") == ()
    assert set(main) < set(every)
    assert {(row.source, row.target) for row in every} == set(pair)
    assert {"UNIT", "CoGAN", "ADDA", "CyCADA", "SHOT (paper)"} <= {row.method for row in main}
    assert [MAIN.index(row.method) for row in main] == sorted(MAIN.index(row.method) for row in main)


def test_every_name_in_the_main_selection_exists() -> None:
    assert set(MAIN) <= {row.method for row in load_published()}


def test_other_forms_of_a_domain_find_its_published_numbers() -> None:
    assert published_name("usps-esl") == "usps"
    assert select_published([("mnist", "usps-esl")], "all") == select_published([("mnist", "usps")], "all")
    assert select_published([("rendered", "optdigits")], "all") == ()


def test_the_svhn_pair_of_the_adda_paper_is_of_the_full_sets() -> None:
    rows = [row for row in load_published() if (row.source, row.target) == ("svhn", "mnist")]
    assert {row.protocol for row in rows if "ADDA" in row.method} == {"full"}
