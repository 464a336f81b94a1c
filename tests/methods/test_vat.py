"""Virtual adversarial training: its value by hand and by a peer, its move against random ones, its gradient."""

from collections.abc import Callable

import pytest
import torch
from scipy.special import rel_entr
from torch import nn
from torch.nn import functional as F

from tests.peers import pytorch_adapt_layers
from uda.methods.vat import divergence, unit, virtual_adversarial_loss


def small_network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(9, 5), nn.Tanh(), nn.Linear(5, 3)).double()


def remembering(network: nn.Module, seen: list[torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the network as a function that keeps what it was shown."""

    def classify(shown: torch.Tensor) -> torch.Tensor:
        seen.append(shown)
        logits: torch.Tensor = network(shown)
        return logits

    return classify


def test_the_loss_made_again_by_hand() -> None:
    network, images = small_network(), torch.randn(4, 1, 3, 3, dtype=torch.double)
    logits = network(images)
    torch.manual_seed(7)
    loss = virtual_adversarial_loss(network, images, logits, 0.5)
    torch.manual_seed(7)
    start = torch.randn_like(images)
    p, total = F.softmax(logits.detach(), 1), 0.0
    for i, image in enumerate(images):
        at = (start[i] / start[i].norm()).requires_grad_()
        q = F.log_softmax(network((image + at)[None]), 1)
        (up,) = torch.autograd.grad(-(p[i] * q[0]).sum(), at)  # the entropy of p does not change with the direction
        there = F.softmax(network((image + 0.5 * up / up.norm())[None]), 1)[0]
        total += float(rel_entr(p[i].numpy(), there.detach().numpy()).sum()) / 4
    assert loss.item() == pytest.approx(total, rel=1e-5)


def test_the_move_is_as_long_as_the_radius_and_hurts_more_than_chance() -> None:
    """It changes predictions more than any of a thousand random moves as long."""
    network, images = small_network(), torch.randn(4, 1, 3, 3, dtype=torch.double)
    seen: list[torch.Tensor] = []
    logits = network(images).detach()
    loss = virtual_adversarial_loss(remembering(network, seen), images, logits, 0.1).item()
    lengths = (seen[1] - images).flatten(1).norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((4,), 0.1, dtype=torch.double))
    log_p = logits.float().log_softmax(1)
    random = [divergence(log_p, network(images + 0.1 * unit(torch.randn_like(images)))).item() for _ in range(1000)]
    assert loss > max(random)


def test_the_gradient_is_that_of_the_moved_prediction_alone() -> None:
    network, images = small_network(), torch.randn(4, 1, 3, 3, dtype=torch.double)
    logits = network(images)
    seen: list[torch.Tensor] = []
    loss = virtual_adversarial_loss(remembering(network, seen), images, logits, 0.5)
    ours = torch.autograd.grad(loss, list(network.parameters()))
    assert not seen[1].requires_grad
    target = F.softmax(logits.detach(), 1)
    theirs = torch.autograd.grad(F.cross_entropy(network(seen[1]), target), list(network.parameters()))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_predictions_that_no_move_changes_cost_nothing() -> None:
    images = torch.randn(4, 1, 3, 3)
    flat = lambda shown: 0.0 * shown.flatten(1)[:, :3]  # noqa: E731
    assert virtual_adversarial_loss(flat, images, torch.zeros(4, 3), 1.0) == 0


def test_the_divergence_is_scipys() -> None:
    p, q = torch.randn(5, 4).softmax(1), torch.randn(5, 4)
    expected = rel_entr(p.double().numpy(), q.double().softmax(1).numpy()).sum(1).mean()
    assert float(divergence(p.log(), q)) == pytest.approx(expected, rel=1e-5)


def test_the_loss_is_the_peers() -> None:
    layers = pytorch_adapt_layers()
    network, images = small_network().float(), torch.randn(4, 1, 3, 3)
    logits = network(images)
    torch.manual_seed(7)
    theirs = layers.VATLoss(xi=1.0, epsilon=0.5)(images, logits, network)
    torch.manual_seed(7)
    torch.testing.assert_close(virtual_adversarial_loss(network, images, logits, 0.5), theirs)
