"""One tiny run of each kind for all tests of this folder."""

from pathlib import Path

import pytest

from tests.evaluation.examples import tiny_run


@pytest.fixture(scope="session")
def unit_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run(tmp_path_factory.mktemp("unit"), "unit")


@pytest.fixture(scope="session")
def source_only_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run(tmp_path_factory.mktemp("source-only"), "source-only")
