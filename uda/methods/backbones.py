"""Small backbones of the digit literature, found by name: (N, C, S, S) images in, (N, F) features out."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from uda.errors import UserError, unknown
from uda.unit.networks import Encoder
from uda.unit.small_gradient import ToSmallMap

ImageShape = tuple[int, int, int]


def match_channels(images: Tensor, channels: int) -> Tensor:
    """Give (N, C, S, S) images another number of channels: grey is repeated, colour averaged."""
    if images.shape[1] == channels:
        return images
    return images.mean(1, keepdim=True).expand(-1, channels, -1, -1)


class Backbone(nn.Module):
    """What a classifier and a domain classifier read images through.

    Attributes
    ----------
    channels
        Image channels that it reads.
    width_out
        Features F of an image.
    """

    channels: int
    width_out: int

    def take_dropout(self) -> list[nn.Module]:
        """Take off the dropout that it ends in, for a place behind further layers: that layer, or nothing.

        Batch normalisation right behind it would keep running variances of features that are dropped out, and at test
        time divide those that are not by them.
        """
        layers = getattr(self, "layers", None)
        return [layers.pop(-1)] if isinstance(layers, nn.Sequential) and isinstance(layers[-1], nn.Dropout) else []


class Dtn(Backbone):
    """Three strided convolutions and a linear layer: that of the SVHN to MNIST pair in CDAN, SHOT and others.

    Convolutions 5x5, stride 2, with 64, 128 and 256 channels, each followed by batch normalisation, dropout of whole
    channels (0.1, 0.3, 0.5) and ReLU; then a linear layer to 512 features, batch normalisation, ReLU and dropout.
    The published one has biases in front of its batch normalisations, which subtract them again: left out here.

    Parameters
    ----------
    shape
        (C, S, S) of one image, of any side; the published network is for 32, where the linear layer reads 4096 values.
    """

    WIDTHS = (64, 128, 256)
    RATES = (0.1, 0.3, 0.5)

    def __init__(self, shape: ImageShape) -> None:
        super().__init__()
        self.channels, side, _ = shape
        self.width_out = 512
        layers: list[nn.Module] = []
        n = self.channels
        for wide, rate in zip(self.WIDTHS, self.RATES, strict=True):
            layers += [ToSmallMap(n, wide, 5, 2, 2, bias=False), nn.BatchNorm2d(wide), nn.Dropout2d(rate), nn.ReLU()]
            n, side = wide, (side + 1) // 2
        linear = nn.Linear(n * side * side, self.width_out, bias=False)
        layers += [nn.Flatten(), linear, nn.BatchNorm1d(self.width_out), nn.ReLU(), nn.Dropout(0.5)]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, C, S, S) images to (N, 512) features."""
        features: Tensor = self.layers(images)
        return features


class LeNet(Backbone):
    """Two convolutions with pooling and a linear layer: that of the MNIST and USPS pairs in CDAN, SHOT and others.

    Convolutions 5x5 without padding, with 20 and 50 channels, each followed by 2x2 max pooling and ReLU, the second
    with dropout of whole channels (0.5) before; then a linear layer to 500 features, ReLU and dropout (0.5).

    Parameters
    ----------
    shape
        (C, S, S) of one image, S at least 16; the published network is for 28, where the linear layer reads 800 values.

    Raises
    ------
    UserError
        For images that are too small for two convolutions without padding.
    """

    SMALLEST = 16

    def __init__(self, shape: ImageShape) -> None:
        super().__init__()
        self.channels, side, _ = shape
        if side < self.SMALLEST:
            raise UserError(
                f"backbone 'lenet' needs images of at least {self.SMALLEST} x {self.SMALLEST} pixels, not {side} x "
                f"{side}: choose backbone 'dtn' or a protocol with larger images"
            )
        self.width_out = 500
        left = ((side - 4) // 2 - 4) // 2
        self.layers = nn.Sequential(
            nn.Conv2d(self.channels, 20, 5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(20, 50, 5),
            nn.Dropout2d(0.5),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(50 * left * left, self.width_out),
            nn.ReLU(),
            nn.Dropout(0.5),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, C, S, S) images to (N, 500) features."""
        features: Tensor = self.layers(images)
        return features


class UnitEncoder(Backbone):
    """UNIT's encoder for one domain, as source-only has it: methods that share it differ in their losses alone.

    Parameters
    ----------
    shape
        (C, S, S) of one image.
    width
        Channels of its first layer.
    latent
        Features that it gives; 0 means 8 times the width.
    depth
        How many 3x3 convolutions follow each that halves the map.
    """

    def __init__(self, shape: ImageShape, width: int, latent: int = 0, depth: int = 0) -> None:
        super().__init__()
        self.channels, side, _ = shape
        self.width_out = latent or 8 * width
        self.encoder = Encoder([self.channels], side, width, self.width_out, depth=depth)

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, C, S, S) images to (N, latent) codes."""
        mean: Tensor = self.encoder([(images, 0)])[0][0]
        return mean


class NormalisedBackbone(Backbone):
    """A backbone with batch normalisation behind its features, what follows that, and in the end its own dropout.

    Parameters
    ----------
    backbone
        What gives the (N, F) features; the dropout that it ends in is taken off it.
    further
        Layers that leave their number as it is.
    """

    def __init__(self, backbone: Backbone, *further: nn.Module) -> None:
        super().__init__()
        self.channels, self.width_out = backbone.channels, backbone.width_out
        dropout = backbone.take_dropout()
        self.layers = nn.Sequential(backbone, nn.BatchNorm1d(backbone.width_out), *further, *dropout)

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, C, S, S) images to (N, F) features."""
        features: Tensor = self.layers(images)
        return features


#: Name of a backbone to what builds it, of an image's shape, and of width, features and depth that only some have.
BACKBONES: dict[str, Callable[[ImageShape, int, int, int], Backbone]] = {
    "dtn": lambda shape, _width, _latent, _depth: Dtn(shape),
    "lenet": lambda shape, _width, _latent, _depth: LeNet(shape),
    "unit": UnitEncoder,
}


def check_backbone(name: str) -> None:
    """Raise a `UserError` that names the nearest known backbone where there is none of that name."""
    if name not in BACKBONES:
        raise unknown("backbone", name, BACKBONES)


def build_backbone(name: str, shape: ImageShape, width: int, latent: int = 0, depth: int = 0) -> Backbone:
    """Build a backbone by its name.

    Parameters
    ----------
    name
        ``"dtn"``, ``"lenet"`` or ``"unit"``.
    shape
        (C, S, S) of the images that it will read.
    width
        Channels of the first layer; ``"unit"`` alone reads it.
    latent
        Features, likewise; 0 means 8 times the width.
    depth
        Convolutions after each that halves the map, likewise.

    Raises
    ------
    UserError
        For an unknown name, or images that the backbone cannot read.
    """
    check_backbone(name)
    return BACKBONES[name](shape, width, latent, depth)
