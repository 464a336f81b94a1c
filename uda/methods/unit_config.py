"""Settings of UNIT and of what carries it further, and the sets of them that have a name of their own.

M.-Y. Liu, T. Breuel, J. Kautz, "Unsupervised Image-to-Image Translation Networks", NIPS 2017. Equation numbers are
the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from uda.data.neutral import added
from uda.errors import UserError, unknown
from uda.methods.base import OptimiserConfig
from uda.methods.ranges import Count, Part, Range, Share
from uda.methods.teacher import TEACHINGS
from uda.unit.trunk import TRUNKS


@dataclass(frozen=True)
class UnitConfig(OptimiserConfig):
    """Settings of UNIT; likelihoods and divergences are sums over an image, so the lambdas are small.

    Attributes
    ----------
    head
        Where the classifier sits: ``"encoder"`` or ``"discriminator"``.
    width, generator_width, discriminator_width
        Channels of the encoders' first layer, the generators' last and the discriminators' first; 0 for the latter two
        means the same as ``width``.
    latent
        Dimensions of the latent space; 0 means 8 times the width.
    statistics
        Encoder normalisation: ``"per-domain"`` or ``"mixed"`` (the authors').
    own_first
        Whether the first layer of encoders and discriminators is each domain's own (the paper), or shared like others.
    xy, learned_sd, dropout
        Coordinate channels for the encoders; predicted standard deviations; dropout in the discriminators.
    standardised
        Whether the encoders give each image zero mean and unit variance first.
    likelihood
        ``"laplacian"`` (the paper) or ``"gaussian"`` (the authors' code).
    lambda_0, lambda_1, lambda_2, lambda_3, lambda_4
        Weights of the GAN, KL, likelihood, cycle KL and cycle likelihood terms, equations (3) to (8). The cycle terms
        are off by default, as in the authors' domain adaptation code.
    adversarial_reconstructions
        Whether reconstructions count as generated images beside translations (the authors' code).
    lambda_class
        Weight of the cross-entropy on labelled source images.
    lambda_translated
        Weight of the cross-entropy on source images translated into the target domain.
    lambda_teacher, lambda_balance
        Weights of `consistency` with a mean teacher on target images, and of `class_balance` there, which counts by
        the share of images that the teacher is sure of. The paper has neither.
    teacher_decay, confidence
        What stays of the teacher's average at each step; from what probability on the teacher is sure.
    alignment
        What stays, at each step, of the running shares of classes by which the teacher's predictions are divided, so
        that it teaches every class as often (`Alignment`); 0 leaves them as they are.
    warmup
        Steps over which the weights of what the classifier learns beside labelled source images rise from 0, linearly:
        all of them but ``lambda_class`` and ``lambda_vat_source``.
    translated_gradient
        Whether the cross-entropy on translated source images also moves what made the translations.
    lambda_features
        Weight of the squared distance between discriminator features of the two images decoded from one code.
    lambda_semantic
        Weight of the cross-entropy by which source images keep their class in the target domain; it moves what
        translates them, not what classifies them.
    lambda_semantic_back
        The same for target images in the source domain, whose class is what the mean teacher is sure of.
    lambda_information
        Weight of the mutual information of target images and predicted classes: sure one by one, diverse together.
    lambda_entropy
        Weight of the conditional entropy of target images alone.
    lambda_vat_source, lambda_vat_target
        Weights of the virtual adversarial loss on source and on target images.
    vat_radius
        Euclidean length of its move of an image of 3 x 32 x 32 values; others move so that a value changes as much.
    average_decay
        Where there is no mean teacher: what stays, at each step, of the averaged weights that classify in the end; 0
        means that the weights themselves do.
    refine_share
        Share of the run's steps that the last stage takes, in which the trunk alone moves of what classifies target
        images in the end, by target images alone; 0 leaves it out.
    refine_pseudo
        Weight of the cross-entropy with pseudo-labels in that stage, beside the mutual information.
    refine_rate
        Learning rate at the beginning of that stage, as a multiple of ``learning_rate``.
    refine_even
        Whether that stage makes the predicted classes even, as SHOT's does, or keeps their shares as they are when it
        begins: for a target whose classes are not even, and a first stage that loses none.
    game_share
        Share of a batch's images, of each domain, that the game is played with: they are decoded and judged, and the
        terms that read translations read theirs. All are encoded and classified. Below 1 a step costs less; the head
        must be on the encoder.
    plain_game
        Whether images are drawn and judged as they are before the augmentation changes their intensities, from codes of
        images whose intensities it has changed: what it adds to an image, the generators need not draw. The head must
        be on the encoder.
    own_encoder, own_generator, own_discriminator
        How many further layers of these networks, counted from the images, each domain has of its own; -1 means all.
        The generators' last two layers always are its own; the others' first ones are where ``own_first`` is set,
        which these settings need.
    depth
        How many 3x3 convolutions follow each of the encoders' that halves the map; the authors have none.
    discriminator_trunk
        What the discriminators are made of: ``"blocks"`` (the authors' code) or ``"lenet"`` (the paper's for MNIST and
        USPS; CoGAN's too).
    strong_views
        Whether the encoders read target images as FixMatch's strong augmentation distorts them, while the mean teacher
        reads them, and the generators draw them, without it. The head must be on the encoder.
    teaching
        What the mean teacher teaches by ``lambda_teacher``: its ``"probabilities"`` (`consistency`), or the
        ``"classes"`` that it is sure of (`pseudo_label_loss`).
    begin_alike
        Whether the layers that each domain has of its own begin with the same weights in both, so that a translation is
        at first a reconstruction. The paper does not say how they begin; the authors' code draws them apart.
    """

    learning_rate: float = 3e-3
    beta_1: Share = 0.5
    head: str = "encoder"
    width: Count = 32
    generator_width: int = 0
    discriminator_width: int = 0
    latent: int = 0
    statistics: str = "per-domain"
    own_first: bool = False
    xy: bool = False
    learned_sd: bool = False
    dropout: bool = True
    standardised: bool = False
    likelihood: str = "laplacian"
    lambda_0: float = 1.0
    lambda_1: float = 2e-4
    lambda_2: float = 0.1
    lambda_3: float = 0.0
    lambda_4: float = 0.0
    adversarial_reconstructions: bool = False
    lambda_class: float = 1000.0
    lambda_translated: float = 500.0
    lambda_teacher: float = 15000.0
    lambda_balance: float = 0.0
    teacher_decay: Share = 0.99
    confidence: Part = 0.8
    warmup: int = 300
    translated_gradient: bool = False
    lambda_features: float = 0.0
    alignment: Share = added(0.0)
    lambda_semantic: float = added(0.0)
    lambda_semantic_back: float = added(0.0)
    lambda_information: float = added(0.0)
    lambda_entropy: float = added(0.0)
    lambda_vat_source: float = added(0.0)
    lambda_vat_target: float = added(0.0)
    vat_radius: float = added(3.5)
    average_decay: Share = added(0.0)
    refine_share: Share = added(0.0)
    refine_pseudo: float = added(0.1)
    refine_rate: float = added(0.1)
    refine_even: bool = added(True)
    game_share: Annotated[float, Range(high=1, open_low=True)] = added(1.0)
    plain_game: bool = added(False)
    own_encoder: Annotated[int, Range(low=-1)] = added(0)
    own_generator: Annotated[int, Range(low=-1)] = added(0)
    own_discriminator: Annotated[int, Range(low=-1)] = added(0)
    depth: int = added(0)
    discriminator_trunk: str = added("blocks")
    strong_views: bool = added(False)
    teaching: str = added("probabilities")
    begin_alike: bool = added(False)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, allowed in (
            ("head", ("encoder", "discriminator")),
            ("statistics", ("per-domain", "mixed")),
            ("likelihood", ("laplacian", "gaussian")),
            ("discriminator_trunk", tuple(TRUNKS)),
            ("teaching", tuple(TEACHINGS)),
        ):
            if getattr(self, name) not in allowed:
                raise unknown(name, getattr(self, name), allowed)
        self._check_teacher()
        self._check_game()
        for name in ("own_encoder", "own_discriminator"):
            if getattr(self, name) and not self.own_first:
                raise UserError(
                    f"{name} is {getattr(self, name)}, but own_first is false: layers are each domain's own from the "
                    "images on; set own_first to true too"
                )

    @property
    def plays(self) -> bool:
        """Whether anything of the game has a weight; the classifier and its teacher learn alone where nothing has."""
        vae_gan = self.lambda_0, self.lambda_1, self.lambda_2, self.lambda_3, self.lambda_4
        read = self.lambda_translated, self.lambda_features, self.lambda_semantic, self.lambda_semantic_back
        return self.head == "discriminator" or any((*vae_gan, *read))

    def _check_game(self) -> None:
        if self.game_share < 1.0 and self.head != "encoder":
            raise UserError(
                f"game_share is {self.game_share} and head {self.head!r}: there the game's networks classify, so all "
                "images play; set game_share to 1, or head to 'encoder'"
            )
        if self.translated_gradient and self.head != "encoder":
            raise UserError(
                f"translated_gradient is true and head {self.head!r}: there no translation is classified; set "
                "translated_gradient to false, or head to 'encoder'"
            )
        if self.strong_views and self.head != "encoder":
            raise UserError(
                f"strong_views is true and head {self.head!r}: there the game's networks classify, which judge images "
                "as they are; set strong_views to false, or head to 'encoder'"
            )
        if self.plain_game and self.head != "encoder":
            raise UserError(
                f"plain_game is true and head {self.head!r}: there the game's networks classify what the augmentation "
                "gives; set plain_game to false, or head to 'encoder'"
            )

    def _check_teacher(self) -> None:
        """Refuse what a mean teacher makes no sense of, and what makes no sense without one."""
        taught = self.lambda_teacher > 0
        if self.average_decay and taught:
            raise UserError(
                f"average_decay is {self.average_decay} and lambda_teacher {self.lambda_teacher}: the mean teacher is "
                "an average of the weights already; set one of them to 0"
            )
        if self.teaching != "probabilities" and not taught:
            raise UserError(f"teaching is {self.teaching!r}, but there is no teacher: set lambda_teacher above 0")
        if self.alignment and not taught:
            raise UserError(
                f"alignment is {self.alignment}: it aligns a mean teacher's predictions; set lambda_teacher above 0"
            )
        if self.lambda_semantic_back and not taught:
            raise UserError(
                f"lambda_semantic_back is {self.lambda_semantic_back}: it reads the mean teacher's labels; set "
                "lambda_teacher above 0 too"
            )


AUTHORS: dict[str, Any] = {
    "head": "discriminator",
    "width": 96,
    "discriminator_width": 64,
    "statistics": "mixed",
    "own_first": True,
    "xy": True,
    "learned_sd": True,
    "likelihood": "gaussian",
    "learning_rate": 2e-4,
    "schedule": "constant",
    "weight_decay": 5e-4,
    "lambda_0": 0.5,  # theirs is 1, of the mean over both domains, not of their sum
    "lambda_1": 2e-4,  # the authors weigh the divergence without its 1/2 by 1e-4
    "lambda_2": 1e-3,
    "lambda_3": 0.0,
    "lambda_4": 0.0,
    "adversarial_reconstructions": True,
    "lambda_class": 10.0,
    "lambda_features": 1e-4,
    "lambda_translated": 0.0,
    "lambda_teacher": 0.0,
}

#: MNIST and USPS, for which the authors' code has no recipe, by the paper: the LeNet discriminators and the widths of
#: its appendix; a Laplacian likelihood, codes of unit variance and translations judged alone (section 3); its general
#: weights of 10, 0.1 and 100 for the game, the divergence and the likelihood, which are means over values, as sums
#: beside a game that weighs 1. What it does not say is as in `AUTHORS`, but for matched features, which weigh a
#: hundred times as much in the same authors' code for CoGAN on these digits. Classifier and matched features have the
#: numbers of that code, whose game is a mean over both domains, not a sum: as they weigh there beside the game they
#: were twice as much. Where the paper says other than the code (a learning rate of 1e-4, features matched by absolute
#: differences), this is the code.
USPS: dict[str, Any] = {
    **AUTHORS,
    "width": 64,
    "discriminator_width": 20,
    "discriminator_trunk": "lenet",
    "likelihood": "laplacian",
    "learned_sd": False,
    "adversarial_reconstructions": False,
    "lambda_0": 1.0,
    "lambda_1": 2 * 0.01 / 512,
    "lambda_2": 10 / 28**2,
    "lambda_features": 1e-2,
}

#: The same as a run. The paper gives neither its length nor its batches for these digits.
USPS_RUN: dict[str, Any] = {**USPS, "steps": 10_000, "batch_size": 64, "evaluate_every": 500, "augmentation": {}}

#: Ours for a CPU: narrow networks, a game with a quarter of the images, information maximisation beside the teacher,
#: and a last stage by target images alone, whose steps cost a third of the others'. It takes 5 to 15 minutes of one
#: core, by the size of the images.
CPU: dict[str, Any] = {
    "width": 32,
    "generator_width": 8,
    "discriminator_width": 8,
    "game_share": 0.25,
    "lambda_information": 100.0,
    "refine_share": 0.4,
    "refine_rate": 1.0,
    "steps": 8000,
    "batch_size": 64,
    "evaluate_every": 1000,
}

#: Ours for a GPU: the same with wider networks and four times the batch. Three seeds side by side took a minute and a
#: half of an H100.
GPU: dict[str, Any] = {
    **CPU,
    "width": 64,
    "generator_width": 32,
    "discriminator_width": 32,
    "steps": 8000,
    "batch_size": 256,
    "evaluate_every": 2000,
}

#: The head on the discriminators, at the schedule and budget of the other methods in a table: its terms weigh against
#: the discriminators' game, not against likelihoods, and its trunk is wider than a game alone needs.
DISCRIMINATOR: dict[str, Any] = {
    "head": "discriminator",
    "learning_rate": 1e-3,
    "discriminator_width": 16,
    "lambda_class": 10.0,
    "lambda_features": 1e-4,
    "lambda_translated": 5.0,
    "lambda_teacher": 150.0,
    "lambda_balance": 0.0,
}
