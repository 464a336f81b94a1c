"""One run, from its config to its result: load, train, evaluate, save; resumed where it was left."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from uda.data.batches import Batches
from uda.data.protocols import TaskData, load_task, target_training_labels
from uda.methods import Method, TaskShape
from uda.metrics.accuracy import accuracy
from uda.metrics.validators import validate
from uda.training.checkpoint import Pick, build_method, read_checkpoint, save_checkpoint
from uda.training.config import RunConfig
from uda.training.devices import autocast, describe_device, device_name, resolve_device
from uda.training.files import write_json
from uda.training.record import Record
from uda.training.scoring import predict_logits
from uda.training.versions import code_version, versions

#: At most so many images of a split are shown to the validators; drawn once, with a fixed seed.
VALIDATION_IMAGES = 2000


@dataclass
class Progress:
    """How far a run is: updates made, seconds they took (evaluation and loading left out), the pick so far."""

    step: int = 0
    seconds: float = 0.0
    pick: Pick | None = None


def train(
    config: RunConfig, root: Path, runs: Path, *, device: str = "auto", command: str = "", quiet: bool = False
) -> Path:
    """Make a run, or finish it where it was interrupted, or leave it where it is finished.

    Parameters
    ----------
    config
        What to run.
    root
        The data root.
    runs
        The folder of run folders.
    device
        ``"auto"``, ``"cpu"``, ``"cuda"``, ….
    command
        What was typed, for the record.
    quiet
        Whether to show no progress bar.

    Returns
    -------
    Path
        The run folder.

    Raises
    ------
    UserError
        For missing or damaged data, a folder of another config, or a damaged checkpoint.
    """
    record = Record(runs / config.name, config)
    if record.finished:
        return record.folder
    where = resolve_device(device)
    task = load_task(config.protocol, config.source, config.target, root)
    torch.manual_seed(config.seed)
    method = build_method(config, _shape(config, task)).to(where)
    batches = make_batches(config, task, method, where)
    nn.Module.to(method, memory_format=torch.channels_last)
    if method.sees_target_labels:
        labels = target_training_labels(config.protocol, config.target, config.source, root)
        method.receive_target_labels(labels.to(where))
    progress = Progress()
    if record.checkpoint.exists():
        progress = resume(record, method)
    about = {"command": command, "code_version": code_version(), "versions": versions()}
    record.begin(task, {**about, "device": describe_device(where)})
    with tqdm(total=config.steps, initial=progress.step, disable=quiet, desc=config.name, unit="step") as bar:
        while progress.step < config.steps:
            before = progress.step
            terms = advance(config, method, batches, progress, where)
            evaluate(record, method, task, progress, terms)
            bar.update(progress.step - before)
    write_json(record.result, make_result(record, task, progress, where))
    return record.folder


def make_batches(config: RunConfig, task: TaskData, method: Method, device: torch.device) -> Batches:
    """Put the training images on the device, in the batches that the method asks for."""
    return Batches(
        task.source_train.images,
        task.source_train.labels,
        task.target_train,
        config.batch_size,
        config.augmentation,
        config.seed,
        device,
        method.second_view,
    )


def advance(
    config: RunConfig, method: Method, batches: Batches, progress: Progress, device: torch.device
) -> dict[str, float]:
    """Make updates up to the next evaluation; return each term's mean over them."""
    start = time.perf_counter()
    end = min(config.steps, (progress.step // config.evaluate_every + 1) * config.evaluate_every)
    totals: dict[str, Tensor] = {}
    method.train()
    for step in range(progress.step, end):
        method.schedule(step)
        batch = batches.at(step)
        with autocast(device, config.precision):
            terms = method.update(batch, step)
        for name, term in terms.items():
            totals[name] = totals[name] + term if name in totals else term
    count = end - progress.step
    means = {name: float(total) / count for name, total in totals.items()}
    progress.step = end
    progress.seconds += time.perf_counter() - start
    return means


def evaluate(record: Record, method: Method, task: TaskData, progress: Progress, terms: dict[str, float]) -> None:
    """Score the model, keep the validator's pick, save, and log.

    The accuracy on the target test split is written down for the table; nothing that the run does depends on it.
    """
    source = _sample(len(task.source_val))
    scores = validate(
        {
            "source_val_logits": predict_logits(method, task.source_val.images[source], source=True),
            "source_val_labels": task.source_val.labels[source],
            "target_train_logits": predict_logits(method, task.target_train[_sample(len(task.target_train))]),
        }
    )
    score = scores[record.config.validator]
    if progress.pick is None or score > progress.pick.score:
        weights = {name: tensor.detach().cpu().clone() for name, tensor in method.state_dict().items()}
        progress.pick = Pick(progress.step, score, weights)
    reached = accuracy(predict_logits(method, task.target_test.images), task.target_test.labels)
    names = task.class_names
    save_checkpoint(record.checkpoint, record.config, method, names, progress.step, progress.seconds, progress.pick)
    record.rewind(progress.step - 1)
    record.log(
        {
            "step": progress.step,
            "seconds": progress.seconds,
            "terms": terms,
            "validators": scores,
            "target_test_accuracy": reached,
        }
    )


def resume(record: Record, method: Method) -> Progress:
    """Put a method and the random state where a checkpoint left them."""
    values = read_checkpoint(record.checkpoint)
    record.rewind(values["step"])
    method.load_state_dict(values["model"])
    for name, optimiser in method.optimisers.items():
        optimiser.load_state_dict(values["optimisers"][name])
    torch.set_rng_state(values["rng"]["cpu"])
    device = next(method.parameters()).device
    if device.type == "cuda" and "cuda" in values["rng"]:
        torch.cuda.set_rng_state(values["rng"]["cuda"], device)
    pick = values["pick"]
    return Progress(values["step"], values["seconds"], None if pick is None else Pick(**pick))


def make_result(record: Record, task: TaskData, progress: Progress, device: torch.device) -> dict[str, Any]:
    """Return ``result.json``: one row of ``runs.csv``; accuracies in percent."""
    config, history = record.config, record.history()
    assert progress.pick is not None
    pick = progress.pick.step
    oracle = max(history, key=lambda line: line["target_test_accuracy"])
    at = {line["step"]: line["target_test_accuracy"] for line in history}
    return {
        "method": config.method,
        "preset": config.preset,
        "source": config.source,
        "target": config.target,
        "protocol": config.protocol,
        "seed": config.seed,
        "steps": config.steps,
        "accuracy_last": at[config.steps],
        "accuracy_validator": at[pick],
        "accuracy_oracle": oracle["target_test_accuracy"],
        "validator": config.validator,
        "validator_step": pick,
        "oracle_step": oracle["step"],
        "n_test": len(task.target_test),
        "device": device_name(device),
        "precision": config.precision,
        "seconds": progress.seconds,
        "steps_per_second": config.steps / progress.seconds,
        "config_hash": config.hash,
        "code_version": code_version(),
        "notes": "; ".join(task.notes),
    }


def _shape(config: RunConfig, task: TaskData) -> TaskShape:
    source, target = task.source_train.images, task.target_train
    return TaskShape(_image(source), _image(target), len(task.class_names), config.steps)


def _image(images: Tensor) -> tuple[int, int, int]:
    _, channels, height, width = images.shape
    return channels, height, width


def _sample(count: int) -> Tensor:
    """Return the indices of at most `VALIDATION_IMAGES` of ``count`` images, the same in every run."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(0))
    return order[:VALIDATION_IMAGES]
