"""``uda verify``: evaluate stored runs again, or make them again, and compare."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from uda.cli.options import data_root_option
from uda.cli.runs import report_unfinished
from uda.errors import UserError
from uda.evaluation.runs import run_folders
from uda.evaluation.stored import read_stored_run
from uda.evaluation.verify import describe_verification
from uda.evaluation.verify import verify as verify_run


@click.command("verify")
@click.argument("runs", nargs=-1, required=True, metavar="RUN…", type=click.Path(path_type=Path))
@click.option("--retrain", is_flag=True, help="Train each run again as well, and compare weights and log.")
@click.option("--device", help="Where; where it is not given, the kind of device that a run was made on, or the CPU.")
@data_root_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def verify(runs: tuple[Path, ...], retrain: bool, device: str | None, data_root: Path, as_json: bool) -> None:
    """Evaluate stored runs again and compare with what they recorded; exit with 1 where something differs.

    RUN is a run folder, or a folder of them, of which those that are not finished are left out. On the kind of device
    that a run was made on, accuracies and predictions must be the very same; elsewhere 0.2 % of the images (one at
    least) may be classified otherwise. A run that is trained again must be the very same everywhere. What cannot be
    read is named when all others are checked.
    """
    folders = [folder for run in runs for folder in _finished(run)]
    quiet = as_json or not sys.stderr.isatty()
    verifications, broken = [], []
    for folder in folders:
        try:
            verification = verify_run(read_stored_run(folder), data_root, again=retrain, device=device, quiet=quiet)
        except UserError as error:
            broken.append(str(error))
            continue
        verifications.append(verification)
        if not as_json:
            click.echo(describe_verification(verification))
    differing = sum(not verification.same for verification in verifications)
    if as_json:
        click.echo(json.dumps([verification.to_dict() for verification in verifications], indent=2))
    elif len(folders) > 1:
        click.echo(f"{len(verifications) - differing:,} of {len(folders):,} runs are the same")
    if broken:
        raise UserError("; ".join(broken))
    if differing:
        click.get_current_context().exit(1)


def _finished(path: Path) -> list[Path]:
    """Return the run folders that a path stands for; of several those that are finished, and name the others."""
    if not path.is_dir():
        raise UserError(f"{path}: no such folder; give the folder of a finished run")
    found = run_folders(path) or [path]
    if len(found) == 1:
        return found
    finished = [folder for folder in found if (folder / "result.json").is_file()]
    if not finished:
        raise UserError(f"{path}: none of its {len(found)} runs is finished; finish them with `uda train` first")
    report_unfinished([folder for folder in found if folder not in finished])
    return finished
