"""The reader of protocol buffers, and SentencePiece models through it."""

import io

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from tokkit.errors import FormatError
from tokkit.formats.protobuf import read_fields, read_float, write_field, write_varint
from tokkit.formats.sentencepiece_model import ModelType, read_model, write_model


def test_numbers_are_written_as_the_specification_shows():
    # https://protobuf.dev/programming-guides/encoding/ writes 150 in field 1 as 08 96 01.
    assert write_field(1, 150) == bytes.fromhex("089601")
    assert write_field(2, b"testing") == bytes.fromhex("120774657374696e67")
    assert write_varint(-1) == bytes.fromhex("ffffffffffffffffff01")


values = st.one_of(st.integers(0, 2**64 - 1), st.binary(max_size=300))


@given(st.lists(st.tuples(st.integers(1, 2**20), values)))
def test_fields_come_back(fields):
    assert list(read_fields(b"".join(write_field(n, value) for n, value in fields))) == fields


@given(st.floats(width=32, allow_nan=False))
def test_floats_come_back(value):
    ((_, written),) = read_fields(write_field(3, value))
    assert read_float(written) == value


@given(st.binary(max_size=60))
def test_anything_is_read_or_refused(data):
    try:
        list(read_fields(data))
        read_model(data)
    except FormatError:
        pass


@pytest.fixture(scope="module")
def trained() -> bytes:
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["to be or not to be, that is the question"] * 30),
        model_writer=written,
        vocab_size=300,
        hard_vocab_limit=False,
        byte_fallback=True,
        user_defined_symbols=["<sep>"],
        control_symbols=["<ctl>"],
        remove_extra_whitespaces=False,
        minloglevel=2,
    )
    return written.getvalue()


def test_a_model_is_read_as_the_library_reads_it(trained):
    processor = sentencepiece.SentencePieceProcessor(model_proto=trained)
    model = read_model(trained)
    assert len(model.pieces) == processor.vocab_size()
    for index, piece in enumerate(model.pieces):
        assert piece.text == processor.id_to_piece(index)
        assert piece.score == processor.get_score(index)
        assert (piece.type.name == "CONTROL") == processor.is_control(index)
        assert (piece.type.name == "BYTE") == processor.is_byte(index)
        assert (piece.type.name == "UNKNOWN") == processor.is_unknown(index)
    assert model.model_type == ModelType.UNIGRAM
    assert model.byte_fallback
    assert model.normalization.name == "nmt_nfkc"
    assert not model.normalization.remove_extra_whitespaces
    assert model.normalization.add_dummy_prefix


def test_a_written_model_is_read_back_and_loads_in_the_library(trained):
    model = read_model(trained)
    assert read_model(write_model(model)) == model
    again = sentencepiece.SentencePieceProcessor(model_proto=write_model(model))
    original = sentencepiece.SentencePieceProcessor(model_proto=trained)
    text = "To  be, or <sep>not\tto be? ½ ﬁ 你"
    assert again.encode(text) == original.encode(text)


@pytest.mark.parametrize("cut", [1, 5, 100, -1])
def test_a_damaged_model_is_refused(trained, cut):
    damaged = trained[:cut] if cut > 0 else b"\xff" + trained
    with pytest.raises(FormatError):
        read_model(damaged[: len(damaged) - 1] if cut > 0 else damaged)
