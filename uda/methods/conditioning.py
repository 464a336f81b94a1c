"""Multilinear conditioning: features and predictions joined by their product, for a domain classifier to read.

M. Long, Z. Cao, J. Wang, M. I. Jordan, "Conditional Adversarial Domain Adaptation", NeurIPS 2018.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

#: Largest product of feature and class counts that is joined as it is.
LARGEST_PRODUCT = 4096


class MultilinearMap(nn.Module):
    """Joins features and predictions: the paper's T of f and g, which is their product or, where it is large, random.

    Attributes
    ----------
    width_out
        Values D that it gives of an image: F times K where these are at most `LARGEST_PRODUCT`.

    Parameters
    ----------
    features, classes
        F and K.
    random_features
        Values D that the randomised map gives.
    """

    feature_matrix: Tensor
    class_matrix: Tensor

    def __init__(self, features: int, classes: int, random_features: int) -> None:
        super().__init__()
        self.random = features * classes > LARGEST_PRODUCT
        self.width_out = random_features if self.random else features * classes
        if self.random:
            self.register_buffer("feature_matrix", torch.randn(features, random_features))
            self.register_buffer("class_matrix", torch.randn(classes, random_features))

    def forward(self, features: Tensor, predictions: Tensor) -> Tensor:
        """Join (N, F) features and (N, K) predictions: (N, D), their outer products, or products of projections.

        The projections, of either to D values, are Gaussian and fixed; their products, divided by the root of D, keep
        the inner products of outer products on average.
        """
        if not self.random:
            return (predictions.unsqueeze(2) * features.unsqueeze(1)).flatten(1)
        return (features @ self.feature_matrix) * (predictions @ self.class_matrix) / math.sqrt(self.width_out)
