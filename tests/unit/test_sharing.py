"""Which layers the domains share: those of each domain's own get nothing from the other, and settings say how many."""

import pytest
import torch
from torch import nn

from tests.unit.test_core import make, tensors
from uda.errors import UserError

#: Layers that networks for 28 x 28 images share beside those that the paper leaves unshared.
LAYERS = {"encoder": 4, "generator": 2, "discriminator": 3}
ROLES = {"encoder": ("vae", "E"), "generator": ("vae", "G"), "discriminator": ("gan", "D")}


def halves(core, network):
    role, name = ROLES[network]
    return core.role(role)[f"{name}1"], core.role(role, domain=1)[f"{name}2"]


def layers(network):
    """Return the ids of a network's convolutions; an encoder's two for mean and deviation are one layer."""
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    return {id(module) for name, module in network.named_modules() if isinstance(module, kinds) and "raw" not in name}


@pytest.mark.parametrize("network", LAYERS)
@pytest.mark.parametrize("options", [{}, {"learned_sd": True}])
def test_as_many_layers_are_shared_as_are_left(network, options):
    for own in range(LAYERS[network] + 1):
        core = make(**{f"own_{network}": own}, **options)
        one, two = halves(core, network)
        assert len(layers(one) & layers(two)) == LAYERS[network] - own
        assert tensors(one) | tensors(two) == {id(p) for p in getattr(core, network).parameters()}


def test_without_sharing_no_tensor_is_both_domains():
    core = make(own_encoder=-1, own_generator=-1, own_discriminator=-1)
    for network in LAYERS:
        one, two = halves(core, network)
        assert not tensors(one) & tensors(two)


@pytest.mark.parametrize("network", LAYERS)
def test_the_layers_next_to_the_images_are_the_first_to_be_own(network):
    core = make(**{f"own_{network}": 1})
    if network == "generator":
        # the last of its shared layers, in front of the two that are own in any case
        assert [b.convolution.out_channels for b in core.generator.shared] == [4 * 4]
        assert [[b.convolution.in_channels for b in own] for own in core.generator.own] == [[4 * 4], [4 * 4]]
    else:
        own = [isinstance(layer, nn.ModuleList) for layer in getattr(core, network).shared]
        assert own == [True] + [False] * (len(own) - 1)


@pytest.mark.parametrize("per_domain", [False, True])
@pytest.mark.parametrize("own", [1, 2, -1])
def test_one_domain_is_as_it_is_whatever_the_other_layers_of_the_other_are(own, per_domain):
    """In training mode; statistics meet only where layers do."""
    core = make(own_encoder=own, own_generator=own, own_discriminator=own, per_domain=per_domain, dropout=False)
    x_1, x_2 = torch.rand(3, 1, 28, 28), torch.rand(4, 1, 28, 28)
    before = core.encoder([(x_1, 0), (x_2, 1)])[0][0], core.discriminator([(x_1, 0), (x_2, 1)])[0]
    drawn = core.decode(before[0].detach(), 0)
    with torch.no_grad():
        for network in LAYERS:
            mine, others = halves(core, network)
            for p in others.parameters():
                if id(p) not in tensors(mine):
                    p.add_(1.0)
    after = core.encoder([(x_1, 0), (x_2, 1)])[0][0], core.discriminator([(x_1, 0), (x_2, 1)])[0]
    if per_domain or own == -1:
        assert torch.equal(before[0], after[0])
    assert torch.equal(before[1], after[1])
    assert torch.equal(drawn, core.decode(before[0].detach(), 0))


def test_parts_go_through_their_own_domains_layers():
    core = make(own_encoder=-1, own_discriminator=-1, learned_sd=True, dropout=False).eval()
    x_1, x_2 = torch.rand(3, 1, 28, 28), torch.rand(4, 1, 28, 28)
    together = core.encoder([(x_2, 1), (x_1, 0)])
    for (mean, sd), x, domain in zip(together, (x_2, x_1), (1, 0), strict=True):
        encoder = core.encoder
        h = encoder.private[domain].convolution(x)
        h = nn.functional.leaky_relu((h / (1 + 1e-5) ** 0.5), 0.01)
        for layer in encoder.shared:
            h = nn.functional.leaky_relu(layer[domain].convolution(h) / (1 + 1e-5) ** 0.5, 0.01)
        torch.testing.assert_close(mean, encoder.mean[domain](h).flatten(1), rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(sd, nn.functional.softplus(encoder.raw_sd[domain](h).flatten(1)))
    verdicts = core.discriminator([(x_2, 1), (x_1, 0)])
    for verdict, x, domain in zip(verdicts, (x_2, x_1), (1, 0), strict=True):
        h = nn.functional.relu(nn.functional.max_pool2d(core.discriminator.private[domain](x), 2))
        for layer in core.discriminator.shared:
            h = nn.functional.relu(nn.functional.max_pool2d(layer[domain](h), 2))
        torch.testing.assert_close(verdict, core.discriminator.verdict[domain](h).flatten(1))


@pytest.mark.parametrize("network", LAYERS)
@pytest.mark.parametrize("beyond", [-2, LAYERS["encoder"] + 1])
def test_more_layers_than_there_are_cannot_be_own(network, beyond):
    with pytest.raises(UserError, match=f"own_{network} is {beyond}.*share {LAYERS[network]} layers"):
        make(**{f"own_{network}": beyond})


@pytest.mark.parametrize("size", [16, 28, 32, 64])
def test_all_streams_run_without_sharing_at_every_size(size):
    core = make((3, 1), size, own_encoder=-1, own_generator=-1, own_discriminator=-1)
    source, target = torch.rand(2, 3, size, size), torch.rand(2, 1, size, size)
    streams = core.streams(source, target)
    cycles = core.cycles(streams)
    assert (streams.x_12.shape, cycles.x_121.shape) == (target.shape, source.shape)
    translator = core.eval().role("image-translator")
    assert torch.equal(translator["G2"](translator["E1"](source)), core.translate(source, origin=0))


@pytest.mark.parametrize("own", [0, 1, -1])
def test_domains_that_begin_alike_are_two_and_do_the_same(own):
    options = {"own_encoder": own, "own_generator": own, "own_discriminator": own, "learned_sd": True}
    core = make(**options, begin_alike=True).eval()
    x = torch.rand(3, 1, 28, 28) * 2 - 1
    for network in LAYERS:
        one, two = halves(core, network)
        assert tensors(one) != tensors(two)
    (mean_1, sd_1), (mean_2, sd_2) = core.encoder([(x, 0), (x, 1)])
    assert torch.equal(mean_1, mean_2)
    assert torch.equal(sd_1, sd_2)
    assert torch.equal(core.translate(x, 0), core.reconstruct(x, 0))
    real_1, real_2 = core.discriminator([(x, 0), (x, 1)])
    assert torch.equal(real_1, real_2)
    apart = make(**options).eval()
    assert torch.equal(apart.reconstruct(x, 0), core.reconstruct(x, 0))
    assert not torch.equal(apart.translate(x, 0), core.translate(x, 0))


def test_domains_of_different_channels_cannot_begin_alike():
    with pytest.raises(UserError, match=r"begin_alike is true, but the domains have \(3, 1\) channels"):
        make((3, 1), begin_alike=True)
