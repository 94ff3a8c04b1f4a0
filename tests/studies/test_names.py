import subprocess
import sys
from importlib import import_module

import pytest

PACKAGES = [f"tokkit.studies.{name}" for name in ("asking", "numbers", "counting", "markov")]


@pytest.mark.parametrize("name", [*PACKAGES, "tokkit.byteprobs"])
def test_all_public_names_are_there(name):
    package = import_module(name)
    assert all(getattr(package, each) is not None for each in package.__all__)


def test_trained_models_have_public_names():
    pytest.importorskip("torch")
    package = import_module("tokkit.studies.scratch")
    assert all(getattr(package, each) is not None for each in package.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"'tokkit\.studies\.numbers' has no .* 'weather'"):
        import_module("tokkit.studies.numbers").weather  # noqa: B018


def test_packages_import_nothing_heavy():
    code = f"import sys, {', '.join(PACKAGES)}, tokkit.studies.scratch; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    heavy = {"altair", "httpx", "numba", "pandas", "torch", "transformers"}
    assert not heavy & set(done.stdout.decode().split())
