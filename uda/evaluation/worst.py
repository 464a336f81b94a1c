"""The images that a model is most confidently wrong about: found, and drawn as a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from uda.evaluation.classify import Classified
from uda.evaluation.drawing import GAP, LINE, MARGIN, paper, text_width, tile, write
from uda.evaluation.labels import method_label, pair_label

if TYPE_CHECKING:
    from PIL.Image import Image

COLUMNS = 10


@dataclass(frozen=True)
class Mistake:
    """An image that was classified wrong: its place in the split, both classes, and the predicted one's probability."""

    index: int
    label: str
    predicted: str
    confidence: float


def find_worst(classified: Classified, count: int) -> tuple[Mistake, ...]:
    """Return the mistakes of highest confidence, the worst first; fewer than ``count`` where fewer are wrong."""
    wrong = torch.nonzero(~classified.correct).flatten()
    order = classified.confidence[wrong].argsort(descending=True, stable=True)
    names = classified.chosen.split.class_names
    return tuple(
        Mistake(
            index,
            names[int(classified.labels[index])],
            names[int(classified.predicted[index])],
            float(classified.confidence[index]),
        )
        for index in wrong[order][:count].tolist()
    )


def draw_worst(classified: Classified, mistakes: Sequence[Mistake]) -> Image:
    """Draw mistakes in rows, the worst first: below each image its true and predicted class, and the confidence."""
    config = classified.loaded.config
    wrong = int((~classified.correct).sum())
    titles = (
        f"{method_label(config.method)}, {pair_label((config.source, config.target))}, seed {config.seed}: "
        f"the {len(mistakes):,} most confident of {wrong:,} mistakes",
        f"on {classified.chosen.label} ({len(classified.labels):,} images); true → predicted, confidence",
    )
    tiles = [tile(classified.chosen.split.images[mistake.index]) for mistake in mistakes]
    captions = [(f"{m.label} → {m.predicted}", f"{100 * m.confidence:.2f} %") for m in mistakes]
    side = tiles[0].width
    across = max(side, *(text_width(line) for caption in captions for line in caption)) + 2 * GAP
    down = side + 2 * LINE
    columns = min(COLUMNS, len(tiles))
    width = max(columns * across, *(text_width(title) for title in titles))
    top = MARGIN + len(titles) * LINE + GAP
    sheet = paper(width + 2 * MARGIN, top + -(-len(tiles) // columns) * down + MARGIN)
    for line, title in enumerate(titles):
        write(sheet, title, MARGIN, MARGIN + line * LINE, "la")
    for place, (picture, caption) in enumerate(zip(tiles, captions, strict=True)):
        row, column = divmod(place, columns)
        x, y = MARGIN + column * across, top + row * down
        sheet.paste(picture, (x + (across - side) // 2, y))
        for line, text in enumerate(caption):
            write(sheet, text, x + across // 2, y + side + line * (LINE - GAP), "ma")
    return sheet
