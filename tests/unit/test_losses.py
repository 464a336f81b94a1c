"""The terms of equations (2) to (8) against numbers computed by hand."""

import math

import pytest
import torch
from torch.distributions import Independent, Laplace, Normal, kl_divergence

from uda.unit import losses


def test_kl_of_unit_variance_is_half_the_squared_mean():
    mean = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    assert losses.kl_divergence(mean).item() == pytest.approx((12.5 + 2.0) / 2)


def test_kl_with_standard_deviations_agrees_with_torch_distributions():
    torch.manual_seed(0)
    mean, sd = torch.randn(5, 7), torch.rand(5, 7) + 0.1
    q, p = Independent(Normal(mean, sd), 1), Independent(Normal(torch.zeros(5, 7), torch.ones(5, 7)), 1)
    assert losses.kl_divergence(mean, sd).item() == pytest.approx(kl_divergence(q, p).mean().item(), rel=1e-5)


def test_laplacian_nll_agrees_with_torch_distributions_up_to_its_constant():
    torch.manual_seed(0)
    images, drawn = torch.randn(4, 3, 5, 5), torch.randn(4, 3, 5, 5)
    by_torch = -Laplace(drawn, torch.ones_like(drawn)).log_prob(images).flatten(1).sum(1).mean()
    constant = 75 * math.log(2.0)
    assert losses.laplacian_nll(images, drawn).item() == pytest.approx(by_torch.item() - constant, rel=1e-5)


def test_gaussian_nll_is_the_squared_distance():
    images, drawn = torch.zeros(2, 1, 2, 2), torch.full((2, 1, 2, 2), 0.5)
    assert losses.gaussian_nll(images, drawn).item() == pytest.approx(1.0)


def test_vae_weighs_its_two_terms():
    assert losses.vae(torch.tensor(3.0), torch.tensor(5.0), 0.1, 100.0).item() == pytest.approx(500.3)


def test_gan_discriminator_is_the_negative_of_equation_5():
    real, generated = torch.tensor([[0.0, 1.0], [2.0, 0.5]]), torch.tensor([[0.3, -0.4]])
    d = [1 / (1 + math.exp(0.0 - 1.0)), 1 / (1 + math.exp(2.0 - 0.5))]
    d_generated = 1 / (1 + math.exp(0.3 + 0.4))
    value = 10 * ((math.log(d[0]) + math.log(d[1])) / 2 + math.log(1 - d_generated))
    assert losses.gan_discriminator(real, generated, 10.0).item() == pytest.approx(-value, rel=1e-5)


def test_gan_generator_is_minus_log_d():
    generated = torch.tensor([[0.3, -0.4]])
    assert losses.gan_generator(generated, 2.0).item() == pytest.approx(2 * math.log(1 + math.exp(0.7)), rel=1e-5)


def test_cycle_consistency_has_two_divergences():
    value = losses.cycle_consistency(torch.tensor(1.0), torch.tensor(2.0), torch.tensor(4.0), 0.1, 10.0)
    assert value.item() == pytest.approx(40.3)


def test_objective_sums_all_terms():
    assert losses.objective(torch.tensor(1.0), torch.tensor(2.5), torch.tensor(-3.0)).item() == pytest.approx(0.5)
