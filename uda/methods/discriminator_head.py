"""A classifier on the features by which discriminators tell real images from generated ones.

M.-Y. Liu, O. Tuzel, "Coupled Generative Adversarial Networks", NIPS 2016; A. Odena, C. Olah, J. Shlens,
"Conditional Image Synthesis with Auxiliary Classifier GANs", ICML 2017.
"""

from __future__ import annotations

from torch import Tensor, nn

from uda.unit.networks import Discriminator


def build_class_head(discriminator: Discriminator, classes: int) -> nn.Linear:
    """Build the linear layer that classifies a discriminator's features, with the weights of a discriminator's."""
    channels, side, _ = discriminator.feature_shape
    head = nn.Linear(channels * side * side, classes)
    nn.init.xavier_uniform_(head.weight, gain=2.0**0.5)
    nn.init.constant_(head.bias, 0.1)
    return head


def read_images(discriminator: Discriminator, images: Tensor, domain: int) -> Tensor:
    """Return the (N, F) features, with dropout in training, of (N, C, S, S) images of a domain."""
    return discriminator.features([(images, domain)])[0].flatten(1)
