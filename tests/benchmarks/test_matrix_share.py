"""The share of a step that is matrix work."""

import torch
from matrix_share import matrix_share
from torch.nn import functional as F


def test_a_matrix_product_is_all_matrix_work_and_a_sine_none() -> None:
    matrix = torch.randn(300, 300)
    assert matrix_share(lambda: matrix @ matrix) > 0.9
    assert matrix_share(lambda: matrix.sin()) == 0


def test_convolutions_count_backwards_too() -> None:
    images, kernel = torch.randn(8, 32, 32, 32), torch.randn(32, 32, 5, 5, requires_grad=True)
    transposed = torch.randn(32, 32, 5, 5, requires_grad=True)

    def step() -> None:
        images_again = F.conv_transpose2d(F.conv2d(images, kernel), transposed)
        torch.autograd.grad(images_again, [kernel, transposed], images)

    # two thirds of the products are backwards: without them it would be a third at the most
    assert matrix_share(step) > 0.6
