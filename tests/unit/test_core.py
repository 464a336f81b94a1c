"""The coupled networks: shapes, what is shared, the streams, and the roles of the paper's Table 1."""

import pytest
import torch

from uda.errors import UserError
from uda.unit.core import UNIT, Half
from uda.unit.networks import coordinates, standardise


def make(channels=(1, 1), size=28, **options):
    torch.manual_seed(0)
    return UNIT(channels, size, width=4, discriminator_width=4, **options)


@pytest.mark.parametrize("size", [16, 28, 32, 64])
@pytest.mark.parametrize("channels", [(1, 1), (3, 1), (3, 3)])
def test_every_size_and_channel_count_goes_through_all_streams(size, channels):
    core = make(channels, size)
    source, target = (torch.rand(2, c, size, size) * 2 - 1 for c in channels)
    streams = core.streams(source, target)
    cycles = core.cycles(streams)
    for images in (streams.x_11, streams.x_21, cycles.x_121):
        assert images.shape == source.shape
    for images in (streams.x_22, streams.x_12, cycles.x_212):
        assert images.shape == target.shape
    assert streams.x_12.abs().max() <= 1
    verdicts = core.discriminator([(source, 0), (target, 1)])
    assert [v.shape for v in verdicts] == [(2, 2), (2, 2)]


def test_roles_hold_the_networks_of_table_1():
    core = make()
    names = {
        "vae": {"E1", "G1"},
        "image-translator": {"E1", "G2"},
        "gan": {"G1", "D1"},
        "vae-gan": {"E1", "G1", "D1"},
        "cogan": {"G1", "G2", "D1", "D2"},
    }
    assert {role: set(core.role(role)) for role in names} == names
    assert set(core.role("image-translator", domain=1)) == {"E2", "G1"}
    with pytest.raises(UserError, match="'vae-gan'"):
        core.role("vae-gna")


def test_roles_do_what_the_core_does():
    core = make().eval()
    images = torch.rand(3, 1, 28, 28) * 2 - 1
    translator = core.role("image-translator")
    assert torch.equal(translator["G2"](translator["E1"](images)), core.translate(images, origin=0))
    vae = core.role("vae", domain=1)
    assert torch.equal(vae["G2"](vae["E2"](images)), core.reconstruct(images, domain=1))
    judged = core.role("gan")["D1"](images)
    assert torch.equal(judged, core.discriminator([(images, 0)])[0])


def tensors(half):
    return {id(p) for p in half.parameters()}


@pytest.mark.parametrize(("pair", "role"), [("E", "vae"), ("G", "vae"), ("D", "gan")])
def test_halves_share_the_high_level_tensors_and_own_the_low_level_ones(pair, role):
    core = make()
    one, two = core.role(role)[f"{pair}1"], core.role(role, domain=1)[f"{pair}2"]
    assert tensors(one) & tensors(two)
    assert tensors(one) - tensors(two)
    assert tensors(two) - tensors(one)
    whole = {"E": core.encoder, "G": core.generator, "D": core.discriminator}[pair]
    assert tensors(one) | tensors(two) == {id(p) for p in whole.parameters()}


@pytest.mark.parametrize("domain", [0, 1])
def test_shared_tensors_get_gradient_from_each_domain_and_own_tensors_from_theirs_alone(domain):
    core = make()
    core.reconstruct(torch.rand(4, 1, 28, 28), domain, noise=True).square().sum().backward()
    for pair in (core.encoder, core.generator):
        for shared in pair.shared.parameters():
            assert shared.grad is not None
        assert all(p.grad is not None for p in pair.private[domain].parameters())
        assert all(p.grad is None for p in pair.private[1 - domain].parameters())


def test_one_first_layer_for_both_where_it_is_shared():
    core = make(own_first=False)
    for role, name in (("vae", "E"), ("gan", "D")):
        one, two = core.role(role)[f"{name}1"], core.role(role, domain=1)[f"{name}2"]
        assert tensors(one) == tensors(two)
    with pytest.raises(UserError, match="channels"):
        make((3, 1), own_first=False)


def test_a_standardised_encoder_does_not_see_brightness_and_contrast():
    core = make(standardised=True).eval()
    images = torch.rand(3, 1, 28, 28) * 2 - 1
    torch.testing.assert_close(core.encode(0.5 * images + 0.2, 0), core.encode(images, 0), rtol=1e-3, atol=1e-3)
    seen = standardise(images)
    torch.testing.assert_close(seen.mean((1, 2, 3)), torch.zeros(3), rtol=0, atol=1e-5)
    torch.testing.assert_close(seen.std((1, 2, 3)), torch.ones(3), rtol=0, atol=5e-3)


def test_standardising_divides_by_the_standard_deviation_even_of_a_blank_image():
    images = torch.randn(5, 3, 4, 4)
    sd, mean = torch.std_mean(images, (1, 2, 3), keepdim=True)
    torch.testing.assert_close(standardise(images), (images - mean) / (sd + 1e-3))
    blank = torch.zeros(1, 1, 4, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(standardise(blank).sum(), blank)
    assert (standardise(blank) == 0).all()
    assert torch.isfinite(gradient).all()


def test_codes_are_the_mean_plus_standard_noise():
    core = make().eval()
    images = torch.rand(2, 1, 28, 28)
    (code,) = core.codes((images, 0))
    torch.manual_seed(7)
    drawn = code.sample()
    torch.manual_seed(7)
    assert torch.equal(drawn, code.mean + torch.randn_like(code.mean))


def test_streams_agree_with_separate_encoding_and_decoding():
    core = make(learned_sd=True).eval()
    source, target = torch.rand(2, 1, 28, 28), torch.rand(3, 1, 28, 28)
    torch.manual_seed(3)
    streams = core.streams(source, target)
    torch.manual_seed(3)
    (one,), (two,) = core.codes((source, 0)), core.codes((target, 1))
    z_1, z_2 = one.sample(), two.sample()
    pairs = [(streams.x_11, z_1, 0), (streams.x_12, z_1, 1), (streams.x_21, z_2, 0), (streams.x_22, z_2, 1)]
    for images, z, domain in pairs:
        torch.testing.assert_close(images, core.decode(z, domain), rtol=1e-4, atol=1e-5)


def test_per_domain_statistics_follow_real_images_of_their_domain_alone():
    core = make(own_first=False)
    norm = core.encoder.shared[0].norm
    before = [n.running_mean.clone() for n in norm.norms]
    core.codes((torch.rand(4, 1, 28, 28), 0))
    assert not torch.equal(norm.norms[0].running_mean, before[0])
    assert torch.equal(norm.norms[1].running_mean, before[1])
    core.codes((torch.rand(4, 1, 28, 28), 1), track=False)
    assert torch.equal(norm.norms[1].running_mean, before[1])


def test_mixed_statistics_are_those_of_the_joined_batch():
    core = make(per_domain=False)
    source, target = torch.rand(4, 1, 28, 28), torch.rand(4, 1, 28, 28) - 1
    block = core.encoder.shared[0]
    h = torch.cat([core.encoder.private[d](x, layout(4)) for d, x in ((0, source), (1, target))])
    convolved = block.convolution(h)
    joined = block.norm(convolved, layout(4, 4))
    flat = convolved.transpose(0, 1).flatten(1)
    expected = (convolved - flat.mean(1)[:, None, None]) / (flat.var(1, correction=0)[:, None, None] + 1e-5).sqrt()
    torch.testing.assert_close(joined, expected, rtol=1e-4, atol=1e-4)


def layout(*sizes):
    from uda.unit.layers import Layout

    return Layout(tuple(sizes), tuple(range(len(sizes))) if len(sizes) > 1 else (0,))


def test_coordinates_run_from_minus_one():
    out = coordinates(torch.zeros(1, 3, 32, 32))
    assert out.shape == (1, 5, 32, 32)
    assert out[0, 3, :, 0].tolist() == pytest.approx([-1 + i / 16 for i in range(32)])
    assert torch.equal(out[0, 3], out[0, 4].T)
    assert out[0, 3, -1, 0].item() == 0.9375


def test_halves_leave_no_parameter_of_the_other_domain():
    core = make()
    half = Half(core.generator, 0)
    assert not tensors(half) & {id(p) for p in core.generator.image[1].parameters()}
