"""What a tokenizer.json can say of files of other formats, against both libraries."""

import io
import json

import pytest
import sentencepiece
import tokenizers

from tests.formats.families import SAMPLE
from tokkit.errors import CheckError, FormatError
from tokkit.formats import load, save
from tokkit.formats.nearest import nearest

COMBINED = "o\u0308\u0304 \u1112\u1161\u11ab"
BYTE = "a <0x0A> b"


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Train a model of SentencePiece; return its file and the library's reader."""
    folder = tmp_path_factory.mktemp("models")

    def write(name, **settings):
        written = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(SAMPLE.split(".") * 3),
            model_writer=written,
            vocab_size=400,
            hard_vocab_limit=False,
            minloglevel=2,
            num_threads=1,
            **settings,
        )
        path = folder / f"{name}.model"
        path.write_bytes(written.getvalue())
        return path, sentencepiece.SentencePieceProcessor(model_file=str(path))

    return write


@pytest.mark.parametrize(
    ("settings", "other"),
    [
        ({"byte_fallback": True}, COMBINED),
        ({"normalization_rule_name": "identity", "byte_fallback": True}, BYTE),
    ],
)
def test_what_differs_is_found_and_all_else_is_kept(train, tmp_path, settings, other):
    path, processor = train("lossy", **settings)
    tokenizer = load(path)
    written, lost = nearest(tokenizer)
    assert "have other tokens in a tokenizer.json" in lost
    with pytest.raises(CheckError):
        save(tokenizer, tmp_path / "exact")
    save(written, tmp_path / "hf")
    library = tokenizers.Tokenizer.from_file(str(tmp_path / "hf" / "tokenizer.json"))
    assert library.encode(other, add_special_tokens=False).ids != processor.encode(other)
    for text in ("The quick brown fox.", "  naïve café ", "東京タワー 12345", ""):
        assert library.encode(text, add_special_tokens=False).ids == processor.encode(text)
    kept = library.get_vocab()
    for number in range(processor.get_piece_size()):
        assert kept[processor.id_to_piece(number)] == number
    assert written.vocab.tokens == tokenizer.vocab.tokens


def test_nothing_differs_where_all_can_be_said(train, tmp_path):
    path, processor = train("pairs", model_type="bpe", normalization_rule_name="identity")
    written, lost = nearest(load(path))
    assert lost == ""
    assert written.encode(COMBINED).tolist() == processor.encode(COMBINED)
    save(load(path), tmp_path / "hf")
    read = load(tmp_path / "hf")
    assert nearest(read) == (read, "")
    assert json.loads(written.source.content) == json.loads(read.source.content)


def test_what_cannot_be_said_is_refused_by_the_name_of_the_file(train):
    path, _ = train("suffixes", treat_whitespace_as_suffix=True)
    with pytest.raises(FormatError, match=r"suffixes\.model cannot be said.*after words"):
        nearest(load(path))
