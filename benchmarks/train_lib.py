"""Learn 32,768 tokens by Less-is-Better, which nothing else on PyPI does: only its cost."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.pair import loaded

VOCAB_SIZE = 32_768


def tokkit(corpus: Path) -> dict:
    """``tokkit train-vocab --algorithm lib``, files and checks included."""
    from tokkit.corpus import open_corpus
    from tokkit.learn.options import Job, Options
    from tokkit.learn.training import train
    from tokkit.patterns import find_pattern

    loaded()
    options = Options(vocab_size=VOCAB_SIZE, pattern=find_pattern("none"))
    text = open_corpus([corpus])
    with TemporaryDirectory() as folder:
        account = train("lib", text, options, Job(), Path(folder, "lib"))
    return {"tokens": account["vocabulary"]["size"], "text bytes": account["corpus"]["bytes"]}


IMPLEMENTATIONS: Mapping[str, Callable[[Path], dict]] = {"tokkit": tokkit}
DISTRIBUTIONS: Mapping[str, str] = {"tokkit": "tokkit-toolkit"}
