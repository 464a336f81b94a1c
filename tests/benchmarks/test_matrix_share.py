"""The share of a step that is matrix work."""

import torch
from matrix_share import matrix_share
from torch.nn import functional as F


def test_a_matrix_product_is_all_matrix_work_and_a_sine_none() -> None:
    matrix = torch.randn(300, 300)
    assert matrix_share(lambda: matrix @ matrix) > 0.9
    assert matrix_share(lambda: matrix.sin()) == 0


def test_convolutions_count_backwards_too() -> None:
    images, kernel = torch.randn(8, 16, 32, 32), torch.randn(16, 16, 3, 3, requires_grad=True)
    transposed = torch.randn(16, 16, 3, 3, requires_grad=True)

    def step() -> None:
        images_again = F.conv_transpose2d(F.conv2d(images, kernel), transposed)
        torch.autograd.grad(images_again, [kernel, transposed], images)

    assert matrix_share(step) > 0.8
