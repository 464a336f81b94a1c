"""One run in progress: what is trained, how far it is, and what is written down of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from uda.atomic import write_arrays
from uda.data.batches import Batches
from uda.data.protocols import TaskData
from uda.errors import UserError
from uda.methods import Method, TaskShape
from uda.metrics.accuracy import accuracy
from uda.metrics.correctness import pack
from uda.metrics.predicted import predicted_shares
from uda.metrics.validators import validate
from uda.training.capture import make_updates, prepare_optimisers
from uda.training.checkpoint import (
    Pick,
    build_method,
    checkpoint_values,
    load_weights,
    misfit,
    on_cpu,
    read_checkpoint,
    stored_pick,
)
from uda.training.config import RunConfig
from uda.training.departures import departure_notes
from uda.training.devices import device_name
from uda.training.probe import Layout, choose_layout, lay_out
from uda.training.record import Record
from uda.training.saving import Saver
from uda.training.scoring import predict_logits
from uda.training.updates import Updates
from uda.training.validation import ValidationImages, draw_validation_images, validation_outputs
from uda.training.versions import code_version


@dataclass
class Job:
    """A run in progress.

    Attributes
    ----------
    record, task, updates
        Its folder, its data, and what makes its updates.
    validation
        What the validators are shown of the data.
    layout
        How it lies in memory.
    step
        Updates made.
    seconds
        What they took; loading and evaluation left out.
    pick
        What the validator likes best so far; None before the last step of a method that is `Method.only_at_end`.
    """

    record: Record
    task: TaskData
    updates: Updates
    validation: ValidationImages
    layout: Layout
    step: int = 0
    seconds: float = 0.0
    pick: Pick | None = None

    @property
    def config(self) -> RunConfig:
        """The run's."""
        return self.record.config

    @property
    def method(self) -> Method:
        """What is trained."""
        return self.updates.method

    @property
    def next_evaluation(self) -> int:
        """The step after which the run is evaluated next."""
        every = self.config.evaluate_every
        return min(self.record.end, (self.step // every + 1) * every)

    def may_pick(self, step: int) -> bool:
        """Whether what was evaluated after a step is the method, for validator and oracle to choose among."""
        return step == self.config.steps or not self.method.only_at_end


def open_job(record: Record, task: TaskData, target_labels: Tensor | None, device: torch.device) -> Job:
    """Build what a run trains, on a device, and put it where its checkpoint left it, if it has one.

    Parameters
    ----------
    record, task
        The run's folder and data.
    target_labels
        The target training labels for a method that `sees_target_labels`; None for all others.
    device
        Where it is trained.
    """
    config, seed = record.config, record.seed
    torch.manual_seed(seed)
    method = build_method(config, _shape(config, task)).to(device)
    if target_labels is not None:
        method.receive_target_labels(target_labels.to(device))
    batches = _batches(config, seed, task, method, device)
    layout = record.layout or choose_layout(method, batches, config.precision, config.steps)
    lay_out(method, layout)
    updates = make_updates(method, batches, config.precision, seed)
    job = Job(record, task, updates, draw_validation_images(task), layout)
    if record.checkpoint.exists():
        _resume(job)
    method.train()
    return job


def evaluate(job: Job, terms: dict[str, float], saver: Saver) -> None:
    """Score the model, keep the validator's pick, log, and save; log too how often it predicts each class.

    The accuracy on the target test split, where that has labels, is written down for the table; nothing that the run
    does depends on it.
    """
    method, task, step = job.method, job.task, job.step
    outputs = validation_outputs(method, job.validation)
    scores = validate(outputs)
    score = scores[job.config.validator]
    if job.may_pick(step) and (job.pick is None or score > job.pick.score):
        job.pick = Pick(step, score, on_cpu(method.state_dict()))
    test = task.target_test
    reached = accuracy(predict_logits(method, test.images), test.labels) if test.labelled else None
    line = {"step": step, "seconds": job.seconds, "terms": terms, "validators": scores, "target_test_accuracy": reached}
    shares = predicted_shares(outputs["target_train_logits"])
    line["predicted"] = dict(zip(task.class_names, shares, strict=True))
    job.record.rewind(step - 1)
    job.record.log(line)
    saver.save(
        job.record.checkpoint,
        checkpoint_values(job.config, method, task.class_names, step, job.seconds, job.pick),
    )


def make_result(job: Job) -> dict[str, Any]:
    """Return ``result.json``: one row of ``runs.csv``; accuracies in percent. Writes ``predictions.npz`` beside it.

    Without labels of target test images there are no accuracies, and what depends on them is null. The model is left
    with the weights of the validator's pick.
    """
    config, test = job.config, job.task.target_test
    notes = [*job.task.notes, *departure_notes(config), *config.augmentation.notes, *config.start_notes]
    assert job.pick is not None
    last = predict_logits(job.method, test.images).argmax(1)
    job.method.load_state_dict(job.pick.model)
    pick = predict_logits(job.method, test.images).argmax(1)
    write_arrays(job.record.predictions, {"labels": test.labels, "last": last, "pick": pick})
    at = {line["step"]: line["target_test_accuracy"] for line in job.record.history()}
    oracle = max(filter(job.may_pick, at), key=lambda step: at[step]) if test.labelled else None
    return {
        "method": config.method,
        "preset": config.preset,
        "source": config.source,
        "target": config.target,
        "protocol": config.protocol,
        "seed": config.seed,
        "steps": config.steps,
        "accuracy_last": at[config.steps],
        "accuracy_validator": at[job.pick.step],
        "accuracy_oracle": None if oracle is None else at[oracle],
        "validator": config.validator,
        "validator_step": job.pick.step,
        "oracle_step": oracle,
        "n_test": len(test),
        "device": device_name(job.updates.device),
        "precision": config.precision,
        "seconds": job.seconds,
        "steps_per_second": config.updates / job.seconds,
        "config_hash": config.hash,
        "code_version": code_version(),
        "notes": "; ".join(notes),
        "correct_last": pack(last == test.labels) if test.labelled else None,
        "correct_validator": pack(pick == test.labels) if test.labelled else None,
    }


def _resume(job: Job) -> None:
    path = job.record.checkpoint
    values = read_checkpoint(path)
    if values["optimisers"] is None:
        raise UserError(
            f"{path}: was made small by `uda runs slim` and cannot be trained further; put the run's "
            "own checkpoint there, or remove it to train anew"
        )
    job.record.rewind(values["step"])
    if job.record.last_step != values["step"]:
        raise UserError(
            f"{job.record.metrics}: lacks the evaluation at step {values['step']:,}, of which {path.name} is; "
            f"put the run's own metrics.jsonl there, or remove {path.name} to train anew"
        )
    load_weights(job.method, values["model"], path)
    try:
        for name, optimiser in job.method.optimisers.items():
            optimiser.load_state_dict(values["optimisers"][name])
    except (KeyError, ValueError) as error:
        raise misfit(path) from error
    prepare_optimisers(job.method, job.updates.device)
    job.step, job.seconds = values["step"], values["seconds"]
    job.pick = stored_pick(values, job.config)


def _batches(config: RunConfig, seed: int, task: TaskData, method: Method, device: torch.device) -> Batches:
    """Put the training images on the device, in the batches that the method asks for."""
    return Batches(
        task.source_train.images,
        task.source_train.labels,
        task.target_train,
        config.batch_size,
        config.augmentation,
        seed,
        device,
        method.second_view,
    )


def _shape(config: RunConfig, task: TaskData) -> TaskShape:
    source, target = task.source_train.images, task.target_train
    return TaskShape(_image(source), _image(target), len(task.class_names), config.steps)


def _image(images: Tensor) -> tuple[int, int, int]:
    _, channels, height, width = images.shape
    return channels, height, width
