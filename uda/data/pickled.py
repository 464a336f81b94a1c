"""Arrays out of pickle files. A pickle may name any function to be called; here none is called but numpy's own."""

from __future__ import annotations

import _codecs
import io
import pickle
from collections.abc import Callable
from typing import Any, cast

import numpy as np

_REBUILD = cast(Callable[..., Any], np.empty(0).__reduce__()[0])
#: What a pickle of arrays asks for, by the names of old and new versions of numpy.
_ARRAYS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _REBUILD,
    ("numpy._core.multiarray", "_reconstruct"): _REBUILD,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _codecs.encode,
}


class _ArraysOnly(pickle.Unpickler):
    """Reads numbers, texts, lists and arrays."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what arrays are made by, and refuse all else."""
        if (module, name) not in _ARRAYS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no part of an array")
        return _ARRAYS[module, name]


def read_pickled_arrays(content: bytes) -> Any:
    """Return what a pickle holds, of Python 2 or 3: arrays, and lists, tuples and dictionaries of them.

    Raises
    ------
    pickle.UnpicklingError
        Where it asks for anything else, which is not called.
    """
    return _ArraysOnly(io.BytesIO(content), encoding="latin1").load()
