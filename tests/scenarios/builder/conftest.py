"""A build of all seven scenarios, shared by the tests that play it."""

from pathlib import Path

import pytest

from tests.scenarios.builder.material import all_sources, built


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all seven scenarios."""
    pytest.importorskip("imagecorruptions", reason="needs the extra `build`")
    root = tmp_path_factory.mktemp("whole")
    built(root / "out", all_sources(root))
    return root / "out"
