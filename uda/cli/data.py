"""``uda data``: list, prepare, check and look at domains and protocols."""

from __future__ import annotations

from pathlib import Path

import click

from uda.cli.options import data_root_option
from uda.data.domains import DOMAINS, Domain, find_domain, load_split
from uda.data.inventory import Presence, inventory, prepare, presence
from uda.data.preview import Section, contact_sheet, labelled, task_sections, unlabelled
from uda.data.protocols import PROTOCOLS, find_protocol, load_task
from uda.errors import UserError


@click.group("data")
def data() -> None:
    """List, prepare, check and look at domains and protocols."""


@data.command("list")
@data_root_option
def list_domains(data_root: Path) -> None:
    """List domains, their splits, whether they are here, and protocols."""
    click.echo(f"domains (data root: {data_root})")
    for domain in DOMAINS.values():
        click.echo(f"  {domain.name:<10} {shape_of(domain):<11} {domain.description}")
        for item in inventory(domain, data_root):
            click.echo(f"  {'':<10} {item.split:<11} {state_of(item)}")
    click.echo("  folder:PATH            class folders: PATH/train/CLASS/*.png, PATH/test/CLASS/*.png;")
    click.echo("                         those of a target may be PATH/train/*.png, PATH/test/*.png, without labels;")
    click.echo("                         where none has any, PATH/*.png will do")
    click.echo("  npz:PATH               arrays train_images, train_labels, test_images, test_labels in one .npz file")
    click.echo("protocols")
    for protocol in PROTOCOLS.values():
        click.echo(click.wrap_text(f"{protocol.name}: {protocol.description}", 118, "  ", "    "))


def shape_of(domain: Domain) -> str:
    """Return size and channels of a domain's images, for people."""
    return f"{domain.size}x{domain.size} {'grey' if domain.channels == 1 else 'RGB'}"


def state_of(item: Presence) -> str:
    """Say whether a split can be read."""
    if item.built_in:
        return "built in"
    return f"present, {item.bytes / 1e6:,.1f} MB" if item.missing is None else f"missing: {item.missing}"


@data.command("prepare")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--split", "splits", multiple=True, help="Only this split (may be repeated).  [default: train and test]")
@data_root_option
def prepare_domains(names: tuple[str, ...], splits: tuple[str, ...], data_root: Path) -> None:
    """Download the published files of domains; what is already there is left alone."""
    problems = []
    for domain in [find_domain(name) for name in names]:
        try:
            click.echo(f"{domain.name}: {prepare(domain, data_root, splits or ('train', 'test'))}")
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("; ".join(problems))


@data.command("verify")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@data_root_option
def verify_domains(names: tuple[str, ...], data_root: Path) -> None:
    """Read the domains that are here (or those named), count their images and compare the files' checksums.

    "published" is said of a file whose checksum is the one that its authors or torchvision publish; "unverified" of any
    other, be it that the file differs or that no checksum is published. Exits with 2 if a file is damaged, or if train
    or test of a named domain is missing.
    """
    failed = []
    for domain in [find_domain(name) for name in names] or list(DOMAINS.values()):
        for split in domain.splits:
            missing = presence(domain, split, data_root).missing
            if missing is not None:
                click.echo(f"{domain.name} {split}: missing: {missing}")
                failed += [f"{domain.name} {split}"] if names and split in ("train", "test") else []
                continue
            try:
                report_split(domain, split, data_root)
            except UserError as error:
                click.echo(f"{domain.name} {split}: BROKEN: {error}")
                failed.append(f"{domain.name} {split}")
    if failed:
        raise UserError(f"missing or damaged: {', '.join(failed)}; the files are named above")


def report_split(domain: Domain, split: str, data_root: Path) -> None:
    """Read one split and print its count, its files and its note."""
    built_in = presence(domain, split, data_root).built_in
    loaded = load_split(domain, split, data_root)
    shape = "x".join(str(size) for size in loaded.images.shape[1:])
    click.echo(
        f"{domain.name} {split}: {len(loaded):,} images {shape}"
        + (f", {len(loaded.class_names)} classes" if loaded.class_names else "")
        + ("" if loaded.labelled else ", without labels")
    )
    for file in loaded.files:
        state = "built in" if built_in else "published" if file.verified else "unverified"
        click.echo(f"  {state:<10} {file.checksum}  {file.name}")
    if loaded.note:
        click.echo(f"  note: {loaded.note}")


@data.command("preview")
@click.argument("name")
@click.argument("target", required=False)
@click.option("--split", help="Which split of NAME to show, without TARGET.  [default: train]")
@click.option("--protocol", help="Show NAME and TARGET as a run under this protocol sees them.  [default: standard]")
@click.option("--columns", type=click.IntRange(1, 100), default=12, show_default=True, help="Images in a row.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default=Path("sheet.png"), show_default=True
)
@data_root_option
def preview_domain(
    name: str, target: str | None, split: str | None, protocol: str | None, columns: int, output: Path, data_root: Path
) -> None:
    """Write a PNG sheet of the images of NAME, one row per class; with TARGET, of the pair under a protocol."""
    if output.suffix.lower() != ".png":
        raise UserError(f"{output} must end in .png")
    if target is None and protocol is not None:
        raise UserError(f"--protocol needs a pair: write `uda data preview {name} TARGET --protocol {protocol}`")
    if target is not None and split is not None:
        raise UserError(
            f"--split {split} is for one domain: a pair is shown as a run sees it; leave --split or TARGET out"
        )
    if target is None:
        split = split or "train"
        images = load_split(find_domain(name), split, data_root)
        caption = f"{name} {split}: {len(images):,} images"
        section = labelled(caption, images, columns) if images.labelled else unlabelled(caption, images.images, columns)
        sections: tuple[Section, ...] = (section,)
    else:
        rules = find_protocol(protocol or "standard")
        click.echo(rules.describe())
        sections = task_sections(load_task(rules.name, name, target, data_root), name, target, columns)
    output.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(sections).save(output)
    click.echo(f"wrote {output}")
