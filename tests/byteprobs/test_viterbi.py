"""Canonical sequences of unigram models: against all there are, and against real models."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.byteprobs.exhaustive import (
    canonical_prefixes,
    check_following,
    check_sequences,
    cut,
)
from tokkit.canonical.protocols import NEVER
from tokkit.canonical.viterbi import Viterbi
from tokkit.segment.unigram import Unigram

# Few different scores: there are ties, and sums that are equal but for rounding.
scores = st.sampled_from([-0.1, -0.2, -0.3, -0.7, -1.0, -1.1, -2.0, -3.0])
words = st.text("abcé", min_size=1, max_size=5)
vocabularies = st.lists(st.tuples(words, scores), min_size=2, max_size=6)


def unigram(vocabulary, **options):
    """A segmenter whose id 0 is unknown, and the texts of its ids."""
    texts = [b"", *(word.encode() for word, _ in vocabulary)]
    segmenter = Unigram(texts, [0.0, *(score for _, score in vocabulary)], unk_id=0, **options)
    return segmenter, texts


def check_everything(segmenter, texts):
    """Compare every sequence, up to a length, with what its own bytes are cut into."""
    machine = Viterbi(segmenter, texts)
    assert machine.exact
    check_sequences(machine, segmenter, texts)


@settings(max_examples=30)
@given(vocabularies, st.booleans())
def test_every_short_sequence(vocabulary, single):
    """Spellings come twice, too: only one of the two ids is what the encoder gives."""
    check_everything(*unigram(vocabulary, single_precision=single, unk_score=-4.0))


@settings(max_examples=30)
@given(
    st.lists(st.tuples(words, st.floats(-3, 0.5, width=32)), min_size=2, max_size=6),
    st.booleans(),
    st.floats(-9, 0),
)
def test_scores_of_any_kind(vocabulary, single, unknown):
    segmenter, texts = unigram(
        vocabulary, single_precision=single, unk_score=unknown, fuse_unk=False
    )
    check_everything(segmenter, texts)


FEW = "aé" + "".join(map(chr, range(0x400, 0x403))) + "漢"
CHARACTERS = [*FEW, "\u0403", "字", "\U0001f600"]


@settings(max_examples=12)
@given(
    st.lists(st.tuples(st.text(FEW, min_size=1, max_size=3), scores), min_size=1, max_size=6),
    st.booleans(),
    st.sampled_from([-4.0, -2.2, -1.0, -20.0]),
    st.randoms(use_true_random=False),
)
def test_characters_written_with_their_bytes(vocabulary, single, unknown, chance):
    """All beginnings of the encodings of texts are canonical, and nothing else is.

    Texts are all of one or two characters and some of four; what else is said to be canonical
    has to be confirmed by a text of its own.
    """
    texts = [b"", *(word.encode() for word, _ in vocabulary)]
    fallback = list(range(len(texts), len(texts) + 256))
    segmenter = Unigram(
        [*texts, *[b""] * 256],
        [0.0, *(score for _, score in vocabulary), *[-2.0] * 256],
        unk_id=0,
        byte_fallback=fallback,
        single_precision=single,
        unk_score=unknown,
        fuse_unk=False,
    )
    texts += [bytes([byte]) for byte in range(256)]
    machine = Viterbi(segmenter, texts)
    written = [""]
    for _ in range(2):
        written += [each + one for each in written for one in CHARACTERS]
    written += ["".join(chance.choices(CHARACTERS, k=4)) for _ in range(100)]
    encoded = [each.encode() for each in {each for each in written if each}]
    usable = {i for i, text in enumerate(texts) if text}
    found = canonical_prefixes(segmenter, encoded, usable)
    states = {}
    for each in sorted(found, key=len):
        last = each[-1]
        assert len(each) > 1 or machine.begins[last]
        before = states.get(each[:-1])
        states[each] = machine.begin(last) if before is None else machine.follow(before, last)
    assert NEVER not in states.values()
    for sequence in chance.sample(sorted(found), 5):
        spelled = b"".join(texts[i] for i in sequence)
        assert machine.may_end(states[sequence]) == is_text(spelled)
        check_following(machine, states[sequence], len(texts))
        flags = machine.following(states[sequence])
        allowed = np.flatnonzero(flags).tolist()
        for token in chance.sample(allowed, min(8, len(allowed))):
            assert is_confirmed(segmenter, (*sequence, token), spelled + texts[token])


def is_text(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_confirmed(segmenter, sequence, spelled):
    """Whether there is a text that is encoded like that, up to the end of a character."""
    endings = [b""] if is_text(spelled) else list(completions(spelled))
    encoded = cut(segmenter, [spelled + ending for ending in endings])
    return any(tuple(ids[: len(sequence)]) == sequence for ids in encoded)


def completions(spelled):
    """The last bytes of the character that is begun; not all of those that lack three."""
    tail = next(spelled[-n:] for n in (1, 2, 3) if spelled[-n] >= 0xC0)
    missing = (2 if tail[0] < 0xE0 else 3 if tail[0] < 0xF0 else 4) - len(tail)
    for second in range(0x80, 0xC0):
        ending = bytes([second]) + b"\x80" * (missing - 1)
        for last in range(0x80, 0xC0) if missing > 1 else [second]:
            ending = ending[:-1] + bytes([last])
            if is_text(tail + ending):
                yield ending


def test_a_byte_is_not_for_characters_that_are_all_tokens():
    """After E4 B8 every character is a token: the two bytes are never written so."""
    known = [chr(code) for code in range(0x4E00, 0x4E40)]
    texts = [b"", *(each.encode() for each in known)]
    fallback = list(range(len(texts), len(texts) + 256))
    segmenter = Unigram(
        texts + [b""] * 256, [-1.0] * (len(texts) + 256), unk_id=0, byte_fallback=fallback
    )
    machine = Viterbi(segmenter, texts + [bytes([byte]) for byte in range(256)])
    flags = machine.following(machine.begin(fallback[0xE4]))
    written = set(np.flatnonzero(flags).tolist())
    assert written == {fallback[byte] for byte in range(0x80, 0xC0) if byte != 0xB8}
    assert machine.begins[fallback[0xC0]] == machine.begins[fallback[0x80]] == 0
    assert machine.begins[fallback[ord("a")]] == machine.begins[fallback[0xF4]] == 1


@pytest.mark.parametrize("single", [True, False])
def test_sums_that_are_very_long(single):
    """Past -100000 SentencePiece adds up anew; rounding there decides about near ties."""
    vocabulary = [
        ("a", -9000.0),
        ("b", -1.003),
        ("ab", -9001.0),
        ("bb", -2.004),
        ("ba", -9001.5),
    ]
    segmenter, texts = unigram(vocabulary, single_precision=single)
    machine = Viterbi(segmenter, texts)
    chance = random.Random(4)
    for _ in range(10):
        text = "".join(chance.choices("ab", k=60)).encode()
        ids = cut(segmenter, [text])[0]
        state = machine.begin(ids[0])
        for number, token in enumerate(ids[1:], 1):
            before = b"".join(texts[i] for i in ids[:number])
            encoded = cut(segmenter, [before + each for each in texts[1:]])
            wanted = [each == [*ids[:number], other] for other, each in enumerate(encoded, 1)]
            assert machine.following(state).tolist() == [0, *wanted]
            state = machine.follow(state, token)


def test_a_space_is_written_as_sentencepiece_does():
    """The text of ``▁a`` is a space and an a; a space of its own does not get to a piece."""
    spellings = [b"", "▁".encode(), "▁a".encode(), b"a", *[b""] * 256]
    texts = [b"", b" ", b" a", b"a", *(bytes([byte]) for byte in range(256))]
    fallback = list(range(4, 260))
    segmenter = Unigram(spellings, [-1.0] * 260, unk_id=0, byte_fallback=fallback)
    machine = Viterbi(segmenter, texts)
    assert machine.begins[:4].tolist() == [0, 1, 1, 1]
    assert machine.begins[fallback[ord(" ")]] == 0
    assert machine.follow(machine.begin(1), 3) == NEVER
    assert machine.follow(machine.begin(1), 1) != NEVER


def test_a_token_that_may_be_hidden_is_told():
    """漢字 scores less than two unknown characters, but is what a run of just them becomes."""
    texts = [b"", b"a", "漢字".encode()]
    hidden = Unigram(texts, [0.0, -1, -30], unk_id=0, unk_score=-11)
    assert cut(hidden, ["漢字".encode(), "漢字漢".encode()]) == [[2], [0]]
    assert not Viterbi(hidden, texts).exact
    assert Viterbi(Unigram(texts, [0.0, -1, -20], unk_id=0, unk_score=-11), texts).exact


def check_text(segmenter, machine, texts, piece, chance):
    """Go along the encoding of a piece; try a few of the other tokens at each place."""
    ids = cut(segmenter, [piece])[0]
    state = machine.begin(ids[0])
    for number, token in enumerate(ids[1:], 1):
        flags = machine.following(state)
        assert flags[token]
        before = b"".join(texts[i] for i in ids[:number])
        allowed = np.flatnonzero(flags).tolist()
        usable = [i for i, each in enumerate(texts) if each and not flags[i]]
        tried = chance.sample(allowed, 5) + chance.sample(usable, min(5, len(usable)))
        encoded = cut(segmenter, [before + texts[other] for other in tried])
        for other, each in zip(tried, encoded, strict=True):
            assert (each == [*ids[:number], other]) == flags[other], (before, other)
        state = machine.follow(state, token)
        assert machine.may_end(state)


@pytest.mark.parametrize("single", [True, False])
def test_a_real_model(shared, single):
    from tokkit.formats import load

    loaded = load(shared / "tokenizers" / "focus_de_xlmr-unigram-50k").segmenter
    segmenter = Unigram(
        loaded.spellings,
        loaded.scores.astype(np.float32) if single else loaded.scores,
        unk_id=loaded.unk_id,
        single_precision=single,
    )
    texts = [b"" if i == loaded.unk_id else each for i, each in enumerate(loaded.spellings)]
    machine = Viterbi(segmenter, texts)
    chance = random.Random(7)
    for line in (
        "▁Die▁Wahrscheinlichkeit▁eines▁Textes",
        "▁Donaudampfschifffahrtsgesellschaft▁1234,5▁km",
        "The▁quick▁brown▁fox",
    ):
        check_text(segmenter, machine, texts, line.encode(), chance)


def check_against(encode, segmenter, texts, pieces, chance):
    """Go along the encodings of texts; `encode` is another library's, from a string to ids."""
    machine = Viterbi(segmenter, texts)
    for piece in pieces:
        ids = encode(piece)
        state = machine.begin(ids[0])
        for number, token in enumerate(ids[1:], 1):
            before = b"".join(texts[i] for i in ids[:number])
            flags = machine.following(state)
            tried = chance.sample([i for i, each in enumerate(texts) if each], 25)
            for other in [*tried, *np.flatnonzero(flags).tolist()[::9]]:
                spelled = before + texts[other]
                if is_text(spelled):
                    assert (encode(spelled.decode()) == [*ids[:number], other]) == flags[other]
            state = machine.follow(state, token)
            assert state != NEVER


PIECES = ["banana", "abbanä", "na漢字ba", "nanab漢", "ééa\U0001f600b"]


def test_against_tokenizers():
    from tokenizers import Tokenizer, models

    chance = random.Random(2)
    distinct = {"".join(chance.choices("abnéä", k=chance.randint(1, 5))) for _ in range(80)}
    entries = [(word, -chance.randint(1, 40) / 10) for word in sorted(distinct)]
    entries += [(f"<0x{byte:02X}>", -9.0) for byte in range(256)]
    entries = [("<unk>", 0.0), *entries]
    foreign = Tokenizer(models.Unigram(entries, 0, True))
    first = len(entries) - 256
    segmenter = Unigram(
        [b"", *(word.encode() for word, _ in entries[1:])],
        [score for _, score in entries],
        unk_id=0,
        byte_fallback=range(first, first + 256),
    )
    texts = [*segmenter.spellings[:first], *(bytes([byte]) for byte in range(256))]
    check_against(lambda text: foreign.encode(text).ids, segmenter, texts, PIECES, chance)


def test_against_sentencepiece(shared, tmp_path):
    import sentencepiece

    from tokkit.formats import load

    sentencepiece.SentencePieceTrainer.train(
        input=str(shared / "corpora" / "br-text.txt"),
        model_prefix=str(tmp_path / "spm"),
        vocab_size=600,
        model_type="unigram",
        byte_fallback=True,
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        minloglevel=2,
    )
    model = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "spm.model"))
    tokenizer = load(tmp_path / "spm.model")
    pieces = ["you want to see the book", "look there's a doggie 漢!", "é  thebanana2"]
    check_against(
        model.encode,
        tokenizer.segmenter,
        tokenizer.vocab.tokens,
        pieces,
        random.Random(3),
    )


def test_a_model_with_fewer_ids_than_the_tokenizer():
    """What the model has no id for carries no text, but the encoder still prefers it."""
    tokens = [b"", b"a", b"b", b"ab", b"c"]
    machine = Viterbi(Unigram(tokens, [-1.0, -1, -1, -1.5, -1], unk_id=0), tokens[:3])
    assert machine.begins.tolist() == [0, 1, 1]
    assert machine.following(machine.begin(1)).tolist() == [0, 1, 0]
    assert machine.follow(machine.begin(1), 2) == NEVER
