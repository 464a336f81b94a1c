"""Contact sheets: what the images of a domain look like, with their labels, to be judged by eye."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from uda.data.domains import Split
from uda.data.protocols import TaskData

if TYPE_CHECKING:
    from PIL.Image import Image

TILE = 56  # pixels that a small image is enlarged to, at least
MARGIN = 4
CAPTION = 22
LABEL_WIDTH = 110
UNLABELLED_ROWS = 4
GROUND = "#d8d8d8"  # neither the black nor the white that images end in


@dataclass(frozen=True)
class Row:
    """A row of a sheet: what stands before it (a class name) and its images, (n, C, H, W) uint8."""

    label: str
    images: Tensor


@dataclass(frozen=True)
class Section:
    """A captioned part of a sheet."""

    caption: str
    rows: tuple[Row, ...]


def labelled(caption: str, split: Split, columns: int, seed: int = 0) -> Section:
    """Return one row per class that has images, of up to ``columns`` images drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for label, name in enumerate(split.class_names):
        members = torch.nonzero(split.labels == label).flatten()
        chosen = members[torch.randperm(len(members), generator=generator)[:columns]]
        if len(chosen):
            rows.append(Row(name, split.images[chosen]))
    return Section(caption, tuple(rows))


def unlabelled(caption: str, images: Tensor, columns: int, seed: int = 0) -> Section:
    """Return a few rows of images drawn at random, without labels."""
    generator = torch.Generator().manual_seed(seed)
    chosen = images[torch.randperm(len(images), generator=generator)[: columns * UNLABELLED_ROWS]]
    return Section(caption, tuple(Row("", part) for part in torch.split(chosen, columns)))


def task_sections(task: TaskData, source: str, target: str, columns: int) -> tuple[Section, ...]:
    """Return what a run under a protocol sees: labelled source, unlabelled target, and the target's test split."""
    tested = f"{target}: {len(task.target_test):,} to test on"
    return (
        labelled(f"{source}: {len(task.source_train):,} to train on", task.source_train, columns),
        unlabelled(f"{target}: {len(task.target_train):,} to train on, without labels", task.target_train, columns),
        labelled(tested, task.target_test, columns)
        if task.target_test.labelled
        else unlabelled(f"{tested}, without labels", task.target_test.images, columns),
    )


def contact_sheet(sections: tuple[Section, ...]) -> Image:
    """Draw sections below one another: captions above, class names in front, images enlarged by whole numbers."""
    from PIL import Image, ImageDraw, ImageFont

    rows = [row for section in sections for row in section.rows]
    cells = [tile_size(row.images) + MARGIN for row in rows]
    width = LABEL_WIDTH + max(len(row.images) * cell for row, cell in zip(rows, cells, strict=True))
    sheet = Image.new("RGB", (width, sum(cells) + CAPTION * len(sections) + MARGIN), GROUND)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    top = 0
    for section in sections:
        pen.text((MARGIN, top + 2), section.caption, fill="black", font=font)
        top += CAPTION
        for row in section.rows:
            cell = tile_size(row.images) + MARGIN
            pen.text((MARGIN, top + cell // 2 - 10), row.label, fill="black", font=font)
            pen.rectangle((LABEL_WIDTH, top, width, top + cell), fill=GROUND)  # cut off names that are too long
            for column, image in enumerate(row.images):
                sheet.paste(enlarged(image), (LABEL_WIDTH + column * cell, top))
            top += cell
    return sheet


def tile_size(images: Tensor) -> int:
    """Return the side of the square that an image is drawn in."""
    longest = max(images.shape[2:])
    return longest * scale_of(longest)


def scale_of(longest: int) -> int:
    """Return the whole number that images are enlarged by."""
    return max(1, -(-TILE // longest))


def enlarged(image: Tensor) -> Image:
    """Return a (C, H, W) uint8 image as a picture in which each pixel is a square."""
    from PIL import Image

    pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    scale = scale_of(max(picture.size))
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
