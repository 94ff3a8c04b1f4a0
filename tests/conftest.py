"""What every test may ask for."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

# The first call of a kernel compiles it: a deadline would only measure that. The gate asks the
# same every time, so that it judges the change; elsewhere every run searches on.
settings.register_profile("tokkit", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("tokkit")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real tokenizers and corpora; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("TOKKIT_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no reference data: {folder} is not a folder (set TOKKIT_SHARED_DATA)")
    return folder
