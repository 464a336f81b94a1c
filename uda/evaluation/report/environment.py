"""What the runs of a report were made with: code, libraries, devices, and the files that they read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from uda.evaluation.report.markup import Html, element, joined
from uda.evaluation.report.records import RunRecord
from uda.evaluation.report.tables import cell, plain_table


def environment(records: Sequence[RunRecord]) -> Html:
    """Build the section: one row per environment, with how many runs were made in it."""
    libraries = list(dict.fromkeys(name for record in records for name in record.versions))
    libraries = ["uda", *(name for name in libraries if name != "uda")]
    counts = Counter(
        (record.device, record.result.precision, *(record.versions.get(name, "–") for name in libraries))
        for record in records
    )
    rows = [
        [cell(device, head=True), cell(precision), *map(cell, versions), cell(f"{count:,}", count)]
        for (device, precision, *versions), count in counts.items()
    ]
    return joined(
        [
            plain_table("Environments", ["Device", "Precision", *libraries, "Runs"], rows, numbers=1),
            _hours(records),
            _files(records),
        ]
    )


def _hours(records: Sequence[RunRecord]) -> Html:
    seconds = sum(record.result.seconds for record in records)
    amount = f"{seconds / 3600:,.1f} hours" if seconds >= 3600 else f"{seconds / 60:,.1f} minutes"
    return element("p", f"All updates of all runs took {amount}; loading and evaluation are left out.", class_="note")


def _files(records: Sequence[RunRecord]) -> Html:
    """List each file that was read; one that was read with two checksums is two."""
    found = {
        (str(file.get("name")), str(file.get("checksum")), bool(file.get("verified")))
        for record in records
        for file in record.files
    }
    if not found:
        return element("p", "Which data files were read is not known: these runs have no folders.", class_="note")
    rows = [
        [cell(name, head=True), cell(element("code", checksum)), cell("as published" if verified else "recorded")]
        for name, checksum, verified in sorted(found)
    ]
    return joined([element("h3", "Data files"), plain_table("Data files", ["File", "Checksum", "Verified"], rows)])
