import json

import pytest

from tokkit import Tokenizer, Vocabulary
from tokkit.analysis.parallel import Parallel
from tokkit.analysis.parity import parity
from tokkit.report.parity import draw_parity
from tokkit.segment.longest import LongestMatch

TEXTS = Parallel({"en": [b"the cat", b"a"], "xx": [b"die Katze", b"eine"], "fr": [b"le", b"u"]})


@pytest.fixture
def plain():
    vocab = Vocabulary(tuple(bytes([byte]) for byte in range(256)))
    return Tokenizer(vocab, LongestMatch(vocab.tokens))


def drawn(tmp_path, found):
    path = draw_parity(found, tmp_path / "a.json")
    premiums, curves = json.loads(path.read_bytes())["vconcat"]
    return premiums, curves["hconcat"]


def test_premiums_with_intervals_and_two_lorenz_curves(tmp_path, plain):
    premiums, curves = drawn(tmp_path, parity({"one": plain, "two": plain}, TEXTS))
    bars, dots = premiums["layer"]
    assert (bars["mark"]["type"], dots["mark"]["type"]) == ("rule", "point")
    assert dots["encoding"]["y"]["sort"] == ["xx", "en", "fr"]
    assert dots["encoding"]["color"]["legend"]["orient"] == "bottom-right"
    assert len(premiums["data"]["values"]) == 6
    assert [each["title"]["text"] for each in curves] == [
        "Lorenz curves, tokens per line",
        "Lorenz curves, tokens per byte",
    ]


def test_joined_texts_are_drawn_without_intervals(tmp_path, plain):
    premiums, _ = drawn(tmp_path, parity({"one": plain}, TEXTS, layout="joined"))
    (dots,) = premiums["layer"]
    assert dots["encoding"]["color"]["legend"] is None
    assert "joined by spaces" in premiums["title"]["subtitle"]


def test_many_languages_are_drawn_lower(tmp_path, plain):
    texts = {"en": [b"a"], **{f"x{number}": [b"ab"] for number in range(99)}}
    premiums, _ = drawn(tmp_path, parity({"one": plain}, Parallel(texts)))
    assert premiums["height"] == 1000
