import base64
import zlib

import pytest
import torch

from uda.metrics.correctness import pack, unpack


def test_bits_are_written_first_image_highest() -> None:
    correct = torch.tensor([True, False, True, True, False, False, False, True, True])
    assert zlib.decompress(base64.b64decode(pack(correct))) == bytes([0b10110001, 0b10000000])


@pytest.mark.parametrize("n", [1, 7, 8, 9, 2007])
def test_what_is_packed_is_read_back(n: int) -> None:
    correct = torch.rand(n, generator=torch.Generator().manual_seed(n)) < 0.9
    read = unpack(pack(correct), n)
    assert read.dtype == torch.bool
    assert read.tolist() == correct.tolist()


def test_ten_thousand_images_fit_in_a_line_of_a_table() -> None:
    correct = torch.rand(10_000, generator=torch.Generator().manual_seed(0)) < 0.97
    assert "\n" not in pack(correct)
    assert "," not in pack(correct)
    assert len(pack(correct)) < 1000


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("", 8),
        ("not base64!", 8),
        (base64.b64encode(b"no zlib").decode(), 8),
        (pack(torch.ones(8, dtype=torch.bool)), 9),
        (pack(torch.ones(9, dtype=torch.bool)), 8),
        (pack(torch.ones(16, dtype=torch.bool)), 9),  # as many bytes as for 9, but the padding is not empty
    ],
)
def test_other_texts_and_other_counts_are_errors(text: str, n: int) -> None:
    with pytest.raises(ValueError, match=f"{n} "):
        unpack(text, n)


@pytest.mark.parametrize(
    "correct", [torch.ones(0, dtype=torch.bool), torch.ones(3), torch.ones(2, 2, dtype=torch.bool)]
)
def test_what_is_no_list_of_bools_is_an_error(correct: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="correct must be"):
        pack(correct)
