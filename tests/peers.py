"""Other libraries that results are compared with, where they are installed."""

from typing import Any

import pytest

#: Why a comparison with pytorch-adapt is left out: nothing depends on it, and its release of 2022 needs old packages.
NO_PYTORCH_ADAPT = "pytorch-adapt is optional and cannot be imported: pip install pytorch-adapt 'setuptools<81'"


def pytorch_adapt_layers() -> Any:
    """Import its layers, or skip the test."""
    return pytest.importorskip("pytorch_adapt.layers", reason=NO_PYTORCH_ADAPT, exc_type=ImportError)
