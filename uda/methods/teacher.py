"""A mean teacher on unlabelled target images: the student is taught by the average of its own past.

G. French, M. Mackiewicz, M. Fisher, "Self-ensembling for visual domain adaptation", ICLR 2018.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import get_ema_multi_avg_fn


class MeanTeacher(nn.Module):
    """Copies of networks that follow them: each parameter is an exponential moving average of the student's.

    Buffers do not follow: the teacher's running statistics come from the images that it is shown in training mode.

    Parameters
    ----------
    students
        The networks, in the order in which they are given to `follow`.
    decay
        What stays of the average at each step, 0 to 1.
    """

    def __init__(self, students: Sequence[nn.Module], decay: float) -> None:
        super().__init__()
        self.networks = nn.ModuleList(copy.deepcopy(student) for student in students).requires_grad_(False)
        self._average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]

    def follow(self, students: Sequence[nn.Module]) -> None:
        """Move every parameter towards the student's, by 1 - decay of the way."""
        theirs = [p.detach() for student in students for p in student.parameters()]
        self._average(list(self.networks.parameters()), theirs, None)


class Alignment(nn.Module):
    """Distribution alignment: a teacher's predictions as if it predicted every class as often.

    D. Berthelot et al., "ReMixMatch", ICLR 2020, section 3.1, for even shares; the running average is exponential. A
    class that is hardly predicted is hardly taught, and so is lost: here the teacher gets surer of it the rarer it is.

    Parameters
    ----------
    classes
        How many there are.
    decay
        What stays of the running shares at each step, 0 to 1; they begin even.
    """

    #: What a share counts for at least, so that no class is made a hundred times as likely as it was.
    LEAST = 1e-3

    def __init__(self, classes: int, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.shares: Tensor
        self.register_buffer("shares", torch.full((classes,), 1.0 / classes))

    @torch.no_grad()
    def forward(self, logits: Tensor) -> Tensor:
        """Let the shares follow (N, K) logits, and return those whose probabilities are divided by them: (N, K)."""
        logits = logits.float()
        self.shares.lerp_(torch.softmax(logits, 1).mean(0), 1.0 - self.decay)
        return logits - self.shares.clamp(min=self.LEAST).log()


def consistency(student: Tensor, teacher: Tensor, confidence: float) -> tuple[Tensor, Tensor]:
    """Squared distance between the predictions of student and teacher, where the teacher is sure (section 3.2).

    Parameters
    ----------
    student, teacher
        (N, K) logits on two views of the same images; no gradient reaches the teacher's.
    confidence
        The images count whose largest teacher probability is above it.

    Returns
    -------
    distance, sure
        Scalars: the mean over all N images and K classes, images that do not count adding 0; and the share that counts.
    """
    p, q = torch.softmax(student.float(), 1), torch.softmax(teacher.detach().float(), 1)
    counts = (q.amax(1) > confidence).float()
    return ((p - q).square().mean(1) * counts).mean(), counts.mean()


def pseudo_label_loss(student: Tensor, teacher: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the student with the classes that the teacher is sure of.

    K. Sohn et al., "FixMatch: Simplifying Semi-Supervised Learning with Consistency and Confidence", NeurIPS 2020,
    equation (4); there the teacher is the student itself, on a weakly augmented view.

    Parameters
    ----------
    student, teacher
        (N, K) logits on two views of the same images; no gradient reaches the teacher's.
    threshold
        The images count whose largest teacher probability is at least this.

    Returns
    -------
    loss, sure
        Scalars, in fp32: the mean over all N images, those that do not count adding 0; and the share that counts.
    """
    probability, label = torch.softmax(teacher.detach().float(), 1).max(1)
    counts = (probability >= threshold).float()
    return (F.cross_entropy(student.float(), label, reduction="none") * counts).mean(), counts.mean()


def class_balance(logits: Tensor) -> Tensor:
    """Sum over classes of the binary cross-entropy between 1/K and the mean prediction (section 3.4), in nats.

    Parameters
    ----------
    logits
        (N, K), of unlabelled images.
    """
    mean = torch.softmax(logits.float(), 1).mean(0)
    # not clamp, whose gradient is made with a number from the host
    mean = torch.minimum(torch.maximum(mean, torch.full_like(mean, 1e-6)), torch.full_like(mean, 1 - 1e-6))
    even = 1.0 / logits.shape[1]
    return -(even * mean.log() + (1 - even) * (1 - mean).log()).sum()


#: What a student is taught by, by its name in a config: of logits of student and teacher, and the confidence.
TEACHINGS: dict[str, Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]] = {
    "probabilities": consistency,
    "classes": pseudo_label_loss,
}
