from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from tests.conftest import refused
from tests.evaluation.examples import tiny_run
from uda.cli.main import cli


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run(tmp_path_factory.mktemp("run"), "unit")


def picture(run: Path, tmp_path: Path, *options: str) -> Image.Image:
    output = tmp_path / "grid.png"
    command = ["translate", "--checkpoint", str(run / "checkpoint.pt"), "-o", str(output), "--data-root", str(tmp_path)]
    done = CliRunner().invoke(cli, [*command, *options])
    assert (done.exit_code, done.stdout) == (0, f"wrote {output}\n"), done.output
    with Image.open(output) as image:
        image.load()
    return image


def test_both_directions_stand_side_by_side(run: Path, tmp_path: Path) -> None:
    both = picture(run, tmp_path, "--rows", "3")
    one = picture(run, tmp_path, "--rows", "3", "--direction", "source-to-target")
    assert (both.width, both.height) == (2 * one.width, one.height)


def test_rows_and_layout_shape_the_picture(run: Path, tmp_path: Path) -> None:
    three, six = (picture(run, tmp_path, "--rows", rows) for rows in ("3", "6"))
    assert six.height > 1.5 * three.height
    wide, compact = (picture(run, tmp_path, "--layout", layout) for layout in ("wide", "compact"))
    assert wide.width > wide.height > compact.height


def test_a_method_that_only_translates_has_a_grid_without_reconstructions(run: Path, tmp_path: Path) -> None:
    pixels = tiny_run(tmp_path, "cycada", blocks=1)
    assert picture(pixels, tmp_path).width < 0.75 * picture(run, tmp_path).width  # three columns instead of four
    (tmp_path / "images").mkdir()
    Image.new("RGB", (20, 20), (10, 200, 30)).save(tmp_path / "images" / "green.png")
    picture(pixels, tmp_path, "--images", str(tmp_path / "images"))
    command = ["plot", "translations", "--checkpoint", str(pixels / "checkpoint.pt"), "-o", str(tmp_path / "grid.pdf")]
    done = CliRunner().invoke(cli, [*command, "--data-root", str(tmp_path)])
    assert done.exit_code == 0, done.output


def test_a_folder_of_images(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("RGB", (20, 20), (10, 200, 30)).save(folder / "green.png")
    picture(run, tmp_path, "--images", str(folder))


def test_wrong_folder_is_an_error(run: Path, tmp_path: Path) -> None:
    command = ["translate", "--checkpoint", str(run / "checkpoint.pt"), "-o", str(tmp_path / "x.png")]
    done = CliRunner().invoke(cli, [*command, "--images", str(tmp_path / "nowhere")])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert not (tmp_path / "x.png").exists()


@pytest.fixture(scope="module")
def judge(run: Path) -> Path:
    """A classifier of the same target; domains are known by the files that they are read from."""
    return tiny_run(run.parent.parent, "target-only") / "checkpoint.pt"


def judged(run: Path, judge: Path, *options: object) -> Result:
    command = ["translate", "--checkpoint", run / "checkpoint.pt", "--judge", judge, *options]
    return CliRunner().invoke(cli, [str(word) for word in command])


def test_a_judge_prints_a_table_instead(run: Path, judge: Path) -> None:
    done = judged(run, judge)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("Classes kept by translation, grey.npz → colour.npz, protocol standard\n")
    assert "grey.npz → colour.npz → grey.npz, its own classifier  30 " in done.stdout
    of_both = judged(run, judge, "--checkpoint", run / "checkpoint.pt", "--weights", "pick").stdout
    assert of_both.count("grey.npz → colour.npz → grey.npz, its own classifier  30 ") == 2


def test_a_source_judge_reads_what_is_drawn_in_the_source(run: Path, judge: Path) -> None:
    source_judge = tiny_run(run.parent.parent, "source-only") / "checkpoint.pt"
    text = judged(run, judge, "--source-judge", source_judge).stdout
    assert "grey.npz → colour.npz → grey.npz, source judge  30 " in text
    assert "its own classifier" not in text


def test_a_source_judge_alone_needs_no_target_label(run: Path) -> None:
    source_judge = tiny_run(run.parent.parent, "source-only") / "checkpoint.pt"
    command = ["translate", "--checkpoint", run / "checkpoint.pt", "--source-judge", source_judge]
    done = CliRunner().invoke(cli, [str(word) for word in command])
    assert done.exit_code == 0, done.output
    assert "No target label was read." in done.stdout
    assert "grey.npz → colour.npz, source judge  30 " in done.stdout


@pytest.mark.parametrize(("name", "begins"), [("kept.md", "**Classes kept"), ("kept.csv", "protocol,source,target,")])
def test_the_table_of_a_judge_is_written_by_the_ending(
    run: Path, judge: Path, tmp_path: Path, name: str, begins: str
) -> None:
    done = judged(run, judge, "-o", tmp_path / "new" / name)
    assert done.stdout == f"wrote {tmp_path / 'new' / name}\n"
    assert (tmp_path / "new" / name).read_text(encoding="utf-8").startswith(begins)


def test_a_judge_of_another_domain_is_refused(run: Path, judge: Path) -> None:
    sentence = refused(judged(run, judge, "--source-judge", judge))
    assert "is to judge the source" in sentence


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--rows", "10"), "--rows is of the grid, and a judge reads all test images in both directions: leave it out"),
        (("--direction", "both"), "--direction is of the grid"),
        (("-o", "grid.png"), "grid.png: with a judge a table is written; give a name that ends in .md or .csv"),
    ],
)
def test_options_of_the_grid_are_not_the_judges(
    run: Path, judge: Path, options: tuple[str, str], sentence: str
) -> None:
    assert refused(judged(run, judge, *options)).startswith(sentence)


def test_a_grid_is_of_one_checkpoint_and_needs_a_file(run: Path, judge: Path) -> None:
    one = ["translate", "--checkpoint", str(run / "checkpoint.pt")]
    cases = [
        ([*one], "a grid needs a file"),
        ([*one, "-o", "grid.png", "--checkpoint", str(judge)], "2 checkpoints, but a grid is of one"),
        ([*one, "-o", "grid.png", "--source-judge", str(judge)], "grid.png: with a judge a table is written"),
    ]
    for command, sentence in cases:
        assert refused(CliRunner().invoke(cli, command)).startswith(sentence)
