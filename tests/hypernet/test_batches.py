"""What a step learns from, checked against the texts it was made from."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tokkit.errors import CorpusError  # noqa: E402
from tokkit.hypernet.backbone import Frame  # noqa: E402
from tokkit.hypernet.batches import Batches  # noqa: E402
from tokkit.hypernet.config import PRESETS  # noqa: E402
from tokkit.hypernet.losses import IGNORED  # noqa: E402
from tokkit.hypernet.source import SourceRows  # noqa: E402
from tokkit.hypernet.texts import Texts, split  # noqa: E402

RECIPE = replace(
    PRESETS["tiny"].recipe,
    vocab_size=700,
    block=2_000,
    queue=2,
    batch=6,
    length=16,
    across_words=0.5,
    lexical_tokens=20,
    warm_up_tokens=30,
)


@pytest.fixture(scope="module")
def source(make_model):
    return SourceRows.read(make_model("llama"))


def make(source, documents, share=(0, 1), frame=None, **changes):
    begins = source.tokenizer.vocab.specials["<s>"]
    texts = split(documents)[0]
    recipe = replace(RECIPE, **changes)
    return Batches(source, frame or Frame((begins,)), texts, recipe, 7, share)


def flat(batch):
    """Everything in a batch, as bytes."""
    parts = [batch.known, batch.known_ids, batch.new, batch.pieces.ids, batch.lexical_ids]
    for each in batch.sequences:
        parts += [each.ids, each.wanted, each.mask]
    return b"".join(part.tobytes() for part in parts)


def test_a_batch_is_a_function_of_the_step(source, documents):
    one, other = make(source, documents), make(source, documents)
    steps = [flat(one.make(step)) for step in (3, 0, 5)]
    assert [flat(other.make(step)) for step in (3, 0, 5)] == steps
    assert len(set(steps)) == 3
    assert [flat(each) for each in one.ahead(3, 6)][::2] == steps[::2]
    assert flat(make(source, documents, seed=1).make(3)) != steps[0]


def test_tokens_of_the_source_keep_its_rows_and_all_others_are_spelled(source, documents):
    batches = make(source, documents)
    batch = batches.make(2)
    vocab = batches._sampler.vocabulary(2)
    tokens, own = vocab.tokens, source.tokenizer.vocab.tokens
    assert batch.size == len(tokens)
    assert sorted([*batch.known, *batch.new]) == list(range(batch.size))
    assert [own[each] for each in batch.known_ids] == [tokens[each] for each in batch.known]
    assert not {tokens[each] for each in batch.new} & set(own)
    for row, number in enumerate(batch.new):
        ids = batch.pieces.ids[row, : batch.pieces.counts[row]]
        spelled = b"".join(own[each] for each in ids)
        assert spelled == tokens[number] or batch.pieces.counts[row] == 7
    assert {own[each] for each in batch.lexical_ids} <= {tokens[each] for each in batch.known}
    assert batch.lexical_ids.size == 20


def test_without_copying_all_tokens_are_predicted(source, documents):
    batch = make(source, documents, copy_known=False).make(0)
    assert batch.known.size == 0
    assert batch.new.tolist() == list(range(batch.size))
    assert batch.lexical_ids.size == 20


@pytest.mark.parametrize("step", [0, 1, 2, 3])
def test_texts_are_foretold_token_by_token(source, documents, step):
    batches = make(source, documents)
    batch = batches.make(step)
    tokens = batches._sampler.vocabulary(step).tokens
    [sequences] = batch.sequences
    assert sequences.ids.shape == sequences.wanted.shape == sequences.mask.shape
    n_bytes = 0
    for ids, wanted, mask in zip(sequences.ids, sequences.wanted, sequences.mask, strict=True):
        assert ids[0] == 0  # what begins a text is the first row of every vocabulary
        count = int((wanted != IGNORED).sum())
        assert (wanted[: count - 1] == ids[1:count]).all()
        assert (mask[:count] == 1).all()
        text = b"".join(tokens[each - 1] for each in wanted[:count])
        assert any(text in each for each in documents)
        n_bytes += len(text)
    assert sequences.n_bytes == n_bytes


def test_processes_share_a_batch(source, documents):
    whole = make(source, documents, batch=6).make(4)
    parts = [make(source, documents, share=(rank, 2), batch=6).make(4) for rank in (0, 1)]
    rows = {row.tobytes() for row in whole.sequences[0].wanted}
    found = [row.tobytes() for part in parts for row in part.sequences[0].wanted]
    assert len(found) == 6
    if whole.sequences[0].wanted.shape == parts[0].sequences[0].wanted.shape:
        assert set(found[:3]) <= rows
    assert parts[0].pieces.ids.tobytes() == parts[1].pieces.ids.tobytes()


def test_masked_models_foretell_what_is_hidden(source, documents):
    specials = source.tokenizer.vocab.specials
    frame = Frame((specials["<s>"],), (specials["</s>"],), specials["<mask>"])
    batches = make(source, documents, frame=frame, batch=40, length=30)
    hidden = masked = total = 0
    for step in range(8):
        batch = batches.make(step)
        tokens = batches._sampler.vocabulary(step).tokens
        [sequences] = batch.sequences
        n_bytes = 0
        for ids, wanted, mask in zip(
            sequences.ids, sequences.wanted, sequences.mask, strict=True
        ):
            size = int(mask.sum())
            assert ids[0] == 0
            assert ids[size - 1] == 1
            assert (wanted[[0, size - 1]] == IGNORED).all()
            seen = (wanted == IGNORED) & (mask == 1)
            assert not (ids[seen] == 2).any()
            hidden += int((wanted != IGNORED).sum())
            masked += int((ids == 2).sum())
            total += size - 2
            n_bytes += sum(len(tokens[each - 3]) for each in wanted[wanted != IGNORED])
        assert sequences.n_bytes == n_bytes
    assert hidden / total == pytest.approx(0.15, abs=0.015)
    assert masked / hidden == pytest.approx(0.8, abs=0.05)


def test_warming_up_takes_tokens_of_the_source(source, documents):
    ids, pieces = make(source, documents).warm_up(0)
    assert ids.size == 30
    assert len(set(ids.tolist())) == 30
    assert (pieces.ids[pieces.counts == 1, 0] == ids[pieces.counts == 1]).all()
    other, _ = make(source, documents).warm_up(1)
    assert ids.tolist() != other.tolist()


def test_windows_begin_at_words_and_cut_no_character():
    texts = Texts.of(["grüße an alle\nim Haus, größer".encode(), b"ab"])
    chance = np.random.default_rng(0)
    for window in texts.windows(300, 9, chance):
        window.decode()
        before = [b"", b" ", b"\n"]
        assert (
            window == b"ab"
            or window[:1] == b" "
            or any(
                (lead + window) in b"\n" + "grüße an alle\nim Haus, größer".encode()
                for lead in before[2:]
            )
        )
        assert len(window) <= 10


def test_one_document_of_fifty_is_kept_for_judging(documents):
    many = [b"%d " % number + documents[number % 60] for number in range(2_000)]
    learned, judged = split(many)
    assert 20 <= judged.ends.size <= 65
    assert learned.ends.size + judged.ends.size == 2_000
    with pytest.raises(CorpusError, match="too short"):
        split([b"one"])


def test_of_one_document_the_last_lines_judge():
    lines = [b"%03d the ant and the den\n" % number for number in range(300)]
    learned, judged = split([b"", b"".join(lines)])
    judge = judged.data.tobytes()
    assert learned.data.tobytes() + judge == b"".join(lines)
    assert judge == b"".join(lines[-len(judge) // len(lines[0]) :])
    assert 1 / 50 <= len(judge) / 300 / len(lines[0]) < 1 / 40


def test_of_text_without_spaces_a_character_is_not_cut():
    learned, judged = split(["字".encode() * 1_000])
    assert learned.data.size + judged.data.size == 3_000
    assert judged.data.size == 60
