"""The mean teacher: its average, and its two losses against numbers computed by hand."""

import math

import torch
from torch import nn

from uda.methods.teacher import Alignment, MeanTeacher, class_balance, consistency


def test_each_parameter_is_the_average_and_buffers_stay_the_teachers_own() -> None:
    torch.manual_seed(0)
    students = [nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), nn.Linear(4, 2)]
    teacher = MeanTeacher(students, decay=0.9)
    averages = [p.detach().clone() for student in students for p in student.parameters()]
    for _ in range(3):
        for student in students:
            for p in student.parameters():
                p.data += torch.randn_like(p)
        students[0](torch.randn(8, 3))
        teacher.follow(students)
        now = [p.detach() for student in students for p in student.parameters()]
        averages = [0.9 * a + 0.1 * p for a, p in zip(averages, now, strict=True)]
    for a, p in zip(averages, teacher.parameters(), strict=True):
        torch.testing.assert_close(p, a)
        assert not p.requires_grad
    assert torch.equal(dict(teacher.named_buffers())["networks.0.1.running_mean"], torch.zeros(4))


def test_consistency_counts_only_what_the_teacher_is_sure_of() -> None:
    sure, unsure = [math.log(0.9), math.log(0.05), math.log(0.05)], [math.log(0.5), math.log(0.3), math.log(0.2)]
    teacher = torch.tensor([sure, unsure], requires_grad=True)
    student = torch.log(torch.tensor([[0.6, 0.3, 0.1], [0.1, 0.1, 0.8]])).requires_grad_()
    distance, share = consistency(student, teacher, confidence=0.8)
    # the first image: ((0.6-0.9)^2 + (0.3-0.05)^2 + (0.1-0.05)^2) / 3 over two images
    torch.testing.assert_close(distance, torch.tensor((0.09 + 0.0625 + 0.0025) / 3 / 2))
    assert share == 0.5
    distance.backward()
    assert teacher.grad is None
    assert student.grad is not None
    assert student.grad[0].abs().sum() > 0
    assert student.grad[1].abs().sum() == 0


def test_aligned_predictions_are_divided_by_the_running_shares() -> None:
    alignment = Alignment(3, 0.75)
    p = torch.tensor([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1]])
    shares = torch.full((3,), 1 / 3)
    for _ in range(4):
        aligned = torch.softmax(alignment(p.log()), 1)
        shares = 0.75 * shares + 0.25 * p.mean(0)
        divided = p / shares
        torch.testing.assert_close(aligned, divided / divided.sum(1, keepdim=True))
    torch.testing.assert_close(alignment.shares, shares)
    assert list(alignment.state_dict()) == ["shares"]


def test_a_class_that_is_never_predicted_is_made_likelier_within_bounds() -> None:
    alignment = Alignment(2, 0.5)
    for _ in range(40):
        aligned = torch.softmax(alignment(torch.tensor([[60.0, 0.0]])), 1)
    torch.testing.assert_close(aligned[0, 1] / aligned[0, 0], torch.tensor(60.0).neg().exp() / Alignment.LEAST)


def test_class_balance_is_least_where_all_classes_are_predicted_alike() -> None:
    even = torch.eye(4) * 50
    expected = 4 * -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    torch.testing.assert_close(class_balance(even), torch.tensor(expected))
    assert class_balance(torch.eye(4)[[0, 0, 0, 1]] * 50) > class_balance(even)
    assert torch.isfinite(class_balance(torch.eye(4)[[0, 0, 0, 0]] * 1000))
