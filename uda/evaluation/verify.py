"""Verify stored runs: evaluate them again, make them again, and say of each thing whether it is the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from uda.evaluation.conditions import as_recorded
from uda.evaluation.finding import Finding
from uda.evaluation.recheck import recheck
from uda.evaluation.retrain import retrain
from uda.evaluation.stored import StoredRun


@dataclass(frozen=True)
class Verification:
    """What came of verifying a run.

    Attributes
    ----------
    folder
        The run's.
    notes
        What differs in the conditions.
    findings
        One for each thing that was checked.
    """

    folder: str
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def same(self) -> bool:
        """Whether all is as recorded."""
        return all(finding.same for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values only, ready for JSON."""
        return {**asdict(self), "same": self.same}


def verify(
    stored: StoredRun, root: Path, *, again: bool = False, device: str | None = None, quiet: bool = False
) -> Verification:
    """Verify a stored run.

    Parameters
    ----------
    stored
        The run.
    root
        The data root.
    again
        Whether to train it again too.
    device
        Where; None for where it was made, if there is such a device.
    quiet
        Whether to show no progress bar.

    Raises
    ------
    UserError
        For missing data, or a checkpoint that this version cannot read.
    """
    with as_recorded(stored, device) as conditions:
        findings = recheck(stored, root, conditions)
        if again:
            findings += retrain(stored, root, conditions, quiet=quiet)
    return Verification(str(stored.folder), conditions.notes, tuple(findings))


def describe_verification(verification: Verification) -> str:
    """Write a verification for people: a line for each thing that was checked."""
    width = max(len(finding.item) for finding in verification.findings)
    return "\n".join(
        (
            verification.folder,
            *(f"  note: {note}" for note in verification.notes),
            *(
                f"  {'same   ' if finding.same else 'differs'}  {finding.item.ljust(width)}  {finding.detail}"
                for finding in verification.findings
            ),
        )
    )
