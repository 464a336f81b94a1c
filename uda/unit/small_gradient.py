"""Convolutions to or from a small map: the gradient of their weights as one product of matrices."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.nn.grad import conv2d_input

from uda.processor import has_amx

#: Places of the small map up to which the product is faster: 4.5 times with 16 places, not with 64.
PLACES = 16


class ToSmallMap(nn.Conv2d):
    """A convolution without bias; its gradient of the weights is made by a product where that is faster.

    It is faster on a CPU with AMX, in bf16, where the output is a small map: there the library's own gradient of the
    weights takes six times as long as the forward pass. Same parameters and the same values as `torch.nn.Conv2d`.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, C, S, S) to (N, F, T, T), T = (S + 2 padding - kernel) / stride + 1, rounded down."""
        kernel, stride, padding = self.kernel_size[0], self.stride[0], int(self.padding[0])
        rows, columns = ((side + 2 * padding - kernel) // stride + 1 for side in images.shape[2:])
        if not product_is_faster(images, rows * columns):
            return super().forward(images)
        return convolve(images, self.weight, stride, padding, transposed=False)


class FromSmallMap(nn.ConvTranspose2d):
    """A transposed convolution without bias, whose gradient of the weights is made so where its input is small.

    Same parameters and the same values as `torch.nn.ConvTranspose2d`.
    """

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map (N, C, S, S) to (N, F, T, T), T = (S - 1) stride - 2 padding + kernel."""
        if output_size is not None or not product_is_faster(images, images.shape[2] * images.shape[3]):
            return super().forward(images, output_size)
        return convolve(images, self.weight, self.stride[0], int(self.padding[0]), transposed=True)


def convolve(images: Tensor, weight: Tensor, stride: int, padding: int, transposed: bool) -> Tensor:
    """Convolve in bf16, the gradient of the weights being made by a product."""
    images, weight = images.to(torch.bfloat16), weight.to(torch.bfloat16)
    drawn: Tensor = Convolution.apply(images, weight, stride, padding, transposed)
    return drawn


class Convolution(torch.autograd.Function):
    """A convolution, transposed or not, whose gradient of the weights is a product of the small map and patches."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, stride: int, padding: int, transposed: bool) -> Tensor:
        """Convolve (N, C, S, S) images with (F, C, K, K) weights, or with (C, F, K, K) where it is transposed."""
        ctx.save_for_backward(images, weight)
        ctx.stride, ctx.padding, ctx.transposed = stride, padding, transposed
        return (F.conv_transpose2d if transposed else F.conv2d)(images, weight, None, stride, padding)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None, None]:
        """Return the gradients of images and weights that are asked for."""
        images, weight = ctx.saved_tensors
        settings = ctx.stride, ctx.padding
        of_images = of_weight = None
        if ctx.needs_input_grad[0] and ctx.transposed:
            of_images = F.conv2d(gradient, weight, None, *settings)
        elif ctx.needs_input_grad[0]:
            of_images = conv2d_input(images.shape, weight, gradient, *settings)  # type: ignore[no-untyped-call]
        if ctx.needs_input_grad[1]:
            small, large = (images, gradient) if ctx.transposed else (gradient, images)
            of_weight = product(small, large, weight, *settings)
        return of_images, of_weight, None, None, None


def product(small: Tensor, large: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """Return the gradient of weights that join each place of a small map to its patch of a large one."""
    seen = patches(large, weight.shape[2], stride, padding, small.shape[2], small.shape[3])
    gradient = small.permute(0, 2, 3, 1).reshape(-1, small.shape[1]).t() @ seen
    return gradient.view(len(weight), *weight.shape[2:], weight.shape[1]).permute(0, 3, 1, 2)


def patches(images: Tensor, kernel: int, stride: int, padding: int, rows: int, columns: int) -> Tensor:
    """Return what each place of the output sees of (N, C, S, S) images: (N rows columns, kernel kernel C)."""
    wide = F.pad(images.permute(0, 2, 3, 1), (0, 0, padding, padding, padding, padding)).contiguous()
    image, row, column, channel = wide.stride()
    sizes = (len(images), rows, columns, kernel, kernel, images.shape[1])
    steps = (image, stride * row, stride * column, row, column, channel)
    return wide.as_strided(sizes, steps).reshape(-1, kernel * kernel * images.shape[1])


def product_is_faster(images: Tensor, places: int) -> bool:
    """Tell whether the product is faster: for images in bf16, on a processor with AMX, with few places."""
    autocast = torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16
    in_bf16 = not images.is_cuda and (autocast or images.dtype == torch.bfloat16)
    return in_bf16 and places <= PLACES and torch.is_grad_enabled() and has_amx()
