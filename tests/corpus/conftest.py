"""Fixtures: the shared data sets, when they are there, and a place to show figures."""

from collections.abc import Callable
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / ".." / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("The shared data sets are not here.")
    return folder


@pytest.fixture
def show(request) -> Callable[[str], None]:
    """Write a line to the terminal although output is captured."""
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    return lambda line: reporter.write_line(f"\n{line}")
