import pytest
from tokenizers import processors

from tests.transplant.folders import BERT, LLAMA_2, LLAMA_3, byte_level, write
from tokkit import load
from tokkit.transplant.settings.framing import check_framing, framing
from tokkit.transplant.settings.roles import find_roles
from tokkit.transplant.settings.translation import Translation

START = processors.TemplateProcessing("<s> $A", "<s> $A <s> $B", [("<s>", 1)])
ENCODER = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))


@pytest.fixture
def make(tmp_path):
    def make_tokenizer(name, specials, processor=None):
        tokenizer = byte_level(specials)
        if processor is not None:
            tokenizer.post_processor = processor
        return load(write(tmp_path / name, tokenizer))

    return make_tokenizer


def test_post_processors_are_read(make):
    assert framing(make("none", LLAMA_2)) == ((), ())
    assert framing(make("byte-level", LLAMA_2, processors.ByteLevel())) == ((), ())
    assert framing(make("template", LLAMA_2, START)) == (("<s>",), ())
    assert framing(make("bert", BERT, ENCODER)) == (("[CLS]",), ("[SEP]",))
    both = processors.Sequence([processors.ByteLevel(), START])
    assert framing(make("sequence", LLAMA_2, both)) == (("<s>",), ())


def told(source, target):
    roles = map(find_roles, (source, target))
    return list(check_framing(Translation(source, target, *roles)))


def test_what_the_model_expects_and_nobody_puts_there_is_told(make):
    (said,) = told(make("old", LLAMA_2, START), make("new", LLAMA_3))
    assert "puts '<s>' before each text" in said
    assert "put '<|begin_of_text|>' there" in said
    before, after = told(make("encoder", BERT, ENCODER), make("other", LLAMA_3))
    assert "'[CLS]' before" in before
    assert "'[SEP]' after" in after
    (said,) = told(make("old2", LLAMA_2, START), make("bare", ("<unk>",)))
    assert "add a token" in said


def test_who_frames_texts_needs_no_advice(make):
    assert told(make("a", LLAMA_2, START), make("b", LLAMA_2, START)) == []
    assert told(make("c", LLAMA_2), make("d", LLAMA_3)) == []


def test_the_real_model(shared, real):
    assert framing(load(shared / "models" / "stories260k")) == (("<s>",), ())
    assert framing(real("llama2")) == ((), ())
