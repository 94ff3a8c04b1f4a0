"""Where models compute."""

import pytest

from tokkit.errors import UsageError

torch = pytest.importorskip("torch")

from tokkit.lm.device import find_device  # noqa: E402


def test_names_of_devices():
    assert find_device("cpu") == torch.device("cpu")
    assert find_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["cuda:99", "abacus", ""])
def test_what_is_not_there_is_refused(name):
    with pytest.raises(UsageError, match="no device of this computer"):
        find_device(name)
