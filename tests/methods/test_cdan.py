"""CDAN and CDAN+E: an update made again by hand, the maps that join features and predictions, and what images count."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.methods.test_dann import gradients
from tests.methods.test_update import TASK, adam, batch_of, same_parameters
from tests.peers import pytorch_adapt_layers
from uda.methods.cdan import Cdan, CdanConfig, certainty
from uda.methods.conditioning import MultilinearMap


def build(**settings: Any) -> Cdan:
    torch.manual_seed(1)
    return Cdan(CdanConfig(**{"backbone": "unit", "width": 2, "hidden": 7, **settings}), TASK)


def networks_of(method: Cdan) -> nn.ModuleList:
    return nn.ModuleList([method.backbone, method.head, method.domain_head, method.join])


def by_hand_joined(join: MultilinearMap, features: torch.Tensor, predictions: torch.Tensor) -> torch.Tensor:
    """The maps, image by image."""
    rows = []
    for f, g in zip(features, predictions, strict=True):
        if join.random:
            rows.append((join.feature_matrix.T @ f) * (join.class_matrix.T @ g) / math.sqrt(join.width_out))
        else:
            rows.append(torch.outer(g, f).flatten())
    return torch.stack(rows)


@pytest.mark.parametrize("entropy", [False, True])
@pytest.mark.parametrize("latent", [0, 1400])
def test_an_update_made_by_hand(entropy: bool, latent: int) -> None:
    """With separate backward passes: what features and head get of the domain loss is subtracted, not reversed."""
    settings = {"lambda_domain": 0.7, "ramp": 3.0, "learning_rate": 0.01, "random_features": 9}
    method = build(entropy=entropy, latent=latent, **settings)
    assert method.join.random == (latent == 1400)
    networks, join = copy.deepcopy(networks_of(method)), method.join
    trunk, head, domain_head, _ = networks
    optimiser = adam(networks.parameters(), method.config)
    for step in (4, 5):
        batch = batch_of(step)
        torch.manual_seed(step)
        features = trunk(torch.cat([batch.source_images, batch.target_images]))
        logits = head(features)
        classification = F.cross_entropy(logits[:6], batch.source_labels)
        p = F.softmax(logits, 1)
        verdicts = domain_head(by_hand_joined(join, features, p.detach()))[:, 0]
        is_source = torch.tensor([1.0] * 6 + [0.0] * 5)
        each = F.binary_cross_entropy_with_logits(verdicts, is_source, reduction="none")
        counts = torch.ones(11)
        if entropy:
            counts = 1 + torch.exp(torch.sum(p * torch.log(p), 1))
        shares = [part / part.sum().detach() for part in (counts[:6], counts[6:])]
        domain = (shares[0] * each[:6]).sum() + (shares[1] * each[6:]).sum()
        weight = 0.7 * (2 / (1 + math.exp(-3.0 * step / 10)) - 1)
        by_hand = []
        for network in (trunk, head):
            parameters = list(network.parameters())
            up = torch.autograd.grad(domain, parameters, retain_graph=True, allow_unused=True)
            down = gradients(classification, network)
            by_hand += [a if b is None else a - weight * b for a, b in zip(down, up, strict=True)]
        by_hand += gradients(domain, domain_head)

        torch.manual_seed(step)
        terms = method.update(batch, torch.tensor(step))
        assert terms.keys() == {"classification", "domain"}
        torch.testing.assert_close(terms["classification"], classification.detach())
        torch.testing.assert_close(terms["domain"], domain.detach())
        ours = networks_of(method)
        for (name, a), b, parameter in zip(ours.named_parameters(), by_hand, networks.parameters(), strict=True):
            torch.testing.assert_close(a.grad, b, rtol=1e-4, atol=1e-4 * float(b.abs().max()), msg=name)
            parameter.grad = a.grad  # Adam divides by a gradient's size: the rounding of tiny ones would decide
        optimiser.step()
        same_parameters(ours, networks)


@pytest.mark.parametrize(("features", "random"), [(409, False), (410, True)])
def test_the_product_is_taken_where_it_has_at_most_4096_values(features: int, random: bool) -> None:
    join = MultilinearMap(features, 10, 20)
    assert join.random == random
    joined = join(torch.rand(3, features), torch.rand(3, 10))
    assert joined.shape == (3, join.width_out) == (3, 20 if random else 4090)


def test_the_random_map_keeps_inner_products_on_average() -> None:
    """What the paper proves of it: the expected inner product of two joined pairs is that of the full products."""
    torch.manual_seed(0)
    features, predictions = torch.randn(2, 500), torch.randn(2, 10).softmax(1)
    join = MultilinearMap(500, 10, 200_000)
    full = torch.einsum("nf,nk->nfk", features, predictions).flatten(1)
    joined = join(features, predictions)
    torch.testing.assert_close(joined @ joined.T, full @ full.T, rtol=0.03, atol=0.5)


def test_a_sure_image_counts_twice_as_much_as_one_of_endless_entropy() -> None:
    logits = torch.tensor([[50.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(certainty(logits, torch.tensor(1.0)), torch.tensor([2.0, 1.0 + 1 / 3]))


def test_maps_and_counts_are_the_peers() -> None:
    layers = pytorch_adapt_layers()
    features, logits = torch.randn(8, 500), torch.randn(8, 10)
    join = MultilinearMap(500, 10, 30)
    theirs = layers.RandomizedDotProduct([500, 10], 30)
    theirs.rand_mat0, theirs.rand_mat1 = join.feature_matrix, join.class_matrix
    torch.testing.assert_close(join(features, logits.softmax(1)), theirs(features, logits.softmax(1)))
    counts = certainty(logits, torch.tensor(1.0))
    torch.testing.assert_close(counts / counts.sum(), layers.EntropyWeights()(logits))
