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

    Parameters
    ----------
    channels, features
        Of the input, and of the output.
    kernel, stride, padding
        As in `torch.nn.Conv2d`, one number each.
    """

    def __init__(self, channels: int, features: int, kernel: int, stride: int, padding: int) -> None:
        super().__init__(channels, features, kernel, stride, padding, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, C, S, S) to (N, F, T, T), T = (S + 2 padding - kernel) / stride + 1, rounded down."""
        kernel, stride, padding = self.kernel_size[0], self.stride[0], int(self.padding[0])
        rows, columns = ((side + 2 * padding - kernel) // stride + 1 for side in images.shape[2:])
        if not product_is_faster(images, rows * columns):
            return super().forward(images)
        drawn: Tensor = Convolution.apply(images.to(torch.bfloat16), self.weight.to(torch.bfloat16), stride, padding)
        return drawn


class FromSmallMap(nn.ConvTranspose2d):
    """A transposed convolution without bias, whose gradient of the weights is made so where its input is small.

    Same parameters and the same values as `torch.nn.ConvTranspose2d`.

    Parameters
    ----------
    channels, features
        Of the input, and of the output.
    kernel, stride, padding
        As in `torch.nn.ConvTranspose2d`, one number each.
    """

    def __init__(self, channels: int, features: int, kernel: int, stride: int, padding: int) -> None:
        super().__init__(channels, features, kernel, stride, padding, bias=False)

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Map (N, C, S, S) to (N, F, T, T), T = (S - 1) stride - 2 padding + kernel."""
        if output_size is not None or not product_is_faster(images, images.shape[2] * images.shape[3]):
            return super().forward(images, output_size)
        settings = self.stride[0], int(self.padding[0])
        drawn: Tensor = Transposed.apply(images.to(torch.bfloat16), self.weight.to(torch.bfloat16), *settings)
        return drawn


class Convolution(torch.autograd.Function):
    """A convolution whose gradient of the weights is a product of what each output saw with its own gradient."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        """Convolve (N, C, S, S) images with (F, C, K, K) weights."""
        ctx.save_for_backward(images, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(images, weight, None, stride, padding)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        """Return the gradients of images and weights that are asked for."""
        images, weight = ctx.saved_tensors
        of_images = of_weight = None
        if ctx.needs_input_grad[0]:
            of_images = conv2d_input(images.shape, weight, gradient, ctx.stride, ctx.padding)  # type: ignore[no-untyped-call]
        if ctx.needs_input_grad[1]:
            of_weight = product(gradient, images, weight, ctx.stride, ctx.padding)
        return of_images, of_weight, None, None


class Transposed(torch.autograd.Function):
    """A transposed convolution; in its gradients the parts of image and output are those of `Convolution`, swapped."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        """Convolve (N, C, S, S) images, transposed, with (C, F, K, K) weights."""
        ctx.save_for_backward(images, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv_transpose2d(images, weight, None, stride, padding)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        """Return the gradients of images and weights that are asked for."""
        images, weight = ctx.saved_tensors
        of_images = of_weight = None
        if ctx.needs_input_grad[0]:
            of_images = F.conv2d(gradient, weight, None, ctx.stride, ctx.padding)
        if ctx.needs_input_grad[1]:
            of_weight = product(images, gradient, weight, ctx.stride, ctx.padding)
        return of_images, of_weight, None, None


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
