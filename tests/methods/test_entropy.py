"""Entropies of predictions against SciPy, and against pytorch-adapt where it is installed."""

import math

import numpy as np
import pytest
import torch
from scipy.special import softmax
from scipy.stats import entropy

from tests.peers import pytorch_adapt_layers
from uda.methods.entropy import conditional_entropy, marginal_entropy, marginal_fit


def test_both_entropies_are_scipys() -> None:
    logits = np.random.default_rng(0).normal(size=(30, 5)) * 3
    p = softmax(logits, 1)
    assert float(conditional_entropy(torch.from_numpy(logits))) == pytest.approx(entropy(p, axis=1).mean(), rel=1e-5)
    assert float(marginal_entropy(torch.from_numpy(logits))) == pytest.approx(entropy(p.mean(0)), rel=1e-5)


def test_the_fit_to_shares_is_scipys_divergence_from_the_most_there_can_be() -> None:
    draw = np.random.default_rng(0)
    logits, shares = draw.normal(size=(30, 5)) * 3, draw.dirichlet(np.ones(5))
    p = softmax(logits, 1)
    fit = marginal_fit(torch.from_numpy(logits), torch.from_numpy(shares))
    assert float(fit) == pytest.approx(math.log(5) - entropy(p.mean(0), shares), rel=1e-5)
    same = marginal_fit(torch.from_numpy(np.log(p.mean(0, keepdims=True))), torch.from_numpy(p.mean(0)))
    assert float(same) == pytest.approx(math.log(5), rel=1e-5)
    even = marginal_fit(torch.from_numpy(logits), torch.full((5,), 0.2))
    assert float(even) == pytest.approx(float(marginal_entropy(torch.from_numpy(logits))), rel=1e-5)


def test_sure_predictions_have_none_and_finite_gradients() -> None:
    logits = (1000.0 * torch.eye(4)[[0, 0, 1, 1]]).requires_grad_()
    conditional, marginal = conditional_entropy(logits), marginal_entropy(logits)
    assert conditional.item() == 0.0
    assert marginal.item() == pytest.approx(math.log(2), abs=1e-4)
    (conditional - marginal).backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_they_are_pytorch_adapts() -> None:
    layers = pytorch_adapt_layers()
    torch.manual_seed(0)
    logits = 3 * torch.randn(30, 5)
    torch.testing.assert_close(conditional_entropy(logits), layers.EntropyLoss()(logits))
    torch.testing.assert_close(-marginal_entropy(logits), layers.DiversityLoss()(logits))
