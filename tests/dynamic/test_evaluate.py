import json
from copy import deepcopy
from math import log

import numpy as np
import pytest
import torch

from tests.dynamic.models import SIZE, START, TOKENIZER, decoder, plain_logits
from tokkit.dynamic import merge_batch
from tokkit.dynamic.measures.evaluate import Plan, evaluate
from tokkit.dynamic.measures.journal import Journal, begin_journal
from tokkit.dynamic.measures.level import Level
from tokkit.dynamic.measures.measuring import (
    BITS,
    DIVERGENCE,
    FIRST_DIVERGENCE,
    FIRST_SAME,
    HALF_BITS,
    PREFIX,
    SAME,
    TOKENS,
    Measured,
    measure_batch,
)
from tokkit.dynamic.models.embedding import find_rows
from tokkit.errors import CorpusError, UsageError
from tokkit.hypernet.source import SourceRows
from tokkit.lm.score import score
from tokkit.results import Provenance

TEXTS = [b"xyxyxyzz abab xyzz", b"bab", b"qq xyxy zz", b"zzzz xy xy xy abab q", b"x"]
LEVELS = [Level(), Level(0.2), Level(merges=4)]


def maker_of(model, embeddings="mean"):
    return find_rows(SourceRows.of(model.model, TOKENIZER), embeddings)


@pytest.fixture(scope="module")
def model():
    return decoder("llama")


@pytest.fixture(scope="module")
def measured(model):
    return measure_batch(model, maker_of(model), TEXTS, LEVELS, "pretokens")


def halves():
    ids = TOKENIZER.encode_batch(TEXTS)
    return [own[: len(own) // 2] for own in ids], [own[len(own) // 2 :] for own in ids]


def grown(model, merged, maker):
    """A copy of the torch model that has the new tokens behind its own rows."""
    rows = maker.rows(merged.tokens, merged.parts)
    bigger = deepcopy(model.model)
    for module, new in (
        (bigger.get_input_embeddings(), rows.input),
        (bigger.get_output_embeddings(), rows.output),
    ):
        wider = torch.cat([module.weight.detach(), torch.from_numpy(new)])
        module.weight = torch.nn.Parameter(wider)
    return bigger


def logprobs(torch_model, ids):
    with torch.inference_mode():
        logits = torch_model(input_ids=torch.tensor([[START, *ids]])).logits[0]
    return torch.log_softmax(logits.double(), dim=-1).numpy()


def renumbered(merged, ids):
    """Ids of the grown model: its own rows come first."""
    return [i if i < merged.base else i - merged.base + SIZE for i in ids.tolist()]


def test_without_merges_texts_cost_what_they_do_elsewhere(model, measured):
    plain = score(model, TEXTS)
    np.testing.assert_allclose(measured.values[0, :, BITS], plain.nats / log(2), rtol=1e-5)
    assert measured.values[0, :, TOKENS].tolist() == plain.tokens.tolist()
    assert measured.sizes[:, 0].tolist() == list(map(len, TEXTS))
    assert measured.merges.tolist()[::2] == [0, 4]
    assert (measured.values[0, :, [DIVERGENCE, FIRST_DIVERGENCE]] == 0).all()
    assert (measured.values[0, :, SAME] == measured.sizes[:, 3]).all()


def test_merged_texts_cost_what_a_model_with_these_rows_gives(model, measured):
    maker = maker_of(model)
    ids = TOKENIZER.encode_batch(TEXTS)
    for place, level in enumerate(LEVELS):
        merged = level.merge(TOKENIZER, ids, "pretokens")
        bigger = grown(model, merged, maker)
        for row, own in enumerate(merged.sequences):
            numbers = renumbered(merged, own)
            rows = logprobs(bigger, numbers)
            bits = -sum(rows[k, number] for k, number in enumerate(numbers)) / log(2)
            assert measured.values[place, row, BITS] == pytest.approx(bits, rel=1e-5)
            assert measured.values[place, row, TOKENS] == len(numbers)


def test_what_is_expected_after_a_merged_half_against_the_plain_one(model, measured):
    maker = maker_of(model)
    first, second = halves()
    for place, level in enumerate(LEVELS):
        merged = level.merge(TOKENIZER, first, "pretokens")
        bigger = grown(model, merged, maker)
        for row, (own, rest) in enumerate(zip(merged.sequences, second, strict=True)):
            numbers = renumbered(merged, own)
            found = logprobs_of_base(bigger, [*numbers, *rest.tolist()])[len(numbers) : -1]
            plain = plain_logits(model, [*first[row], *rest]).double()
            plain = torch.log_softmax(plain, dim=-1).numpy()[len(first[row]) : -1]
            bits = -found[np.arange(len(rest)), rest].sum() / log(2)
            apart = (np.exp(plain) * (plain - found)).sum(axis=1) / log(2)
            same = found.argmax(axis=1) == plain.argmax(axis=1)
            values = measured.values[place, row]
            assert values[HALF_BITS] == pytest.approx(bits, rel=1e-5)
            assert values[DIVERGENCE] == pytest.approx(apart.sum(), rel=1e-3, abs=1e-4)
            assert values[FIRST_DIVERGENCE] == pytest.approx(apart[0], rel=1e-3, abs=1e-4)
            assert (values[SAME], values[FIRST_SAME]) == (same.sum(), same[0])
            assert values[PREFIX] == len(numbers)
            assert measured.sizes[row, 1:].tolist() == [
                len(first[row]) + len(rest),
                len(first[row]),
                len(rest),
                sum(len(TOKENIZER.vocab.tokens[i]) for i in rest),
            ]


def logprobs_of_base(torch_model, ids):
    """Log probabilities over the model's own rows alone."""
    with torch.inference_mode():
        logits = torch_model(input_ids=torch.tensor([[START, *ids]])).logits[0, :, :SIZE]
    return torch.log_softmax(logits.double(), dim=-1).numpy()


def documents(seed, count=9):
    random = np.random.default_rng(seed)
    words = [b"xy", b"zz", b"abab", b"q", b"xyzz"]
    return [b" ".join(random.choice(words, size=12).tolist()) for _ in range(count)]


GROUPS = {"one": documents(1), "two": documents(2, 5)}
PLAN = Plan(levels=[Level(0.3), Level(0.1), Level(0.3)], batch_size=4)


def test_rows_add_up(model):
    found = evaluate(model, maker_of(model), GROUPS, PLAN)
    by_name = {(row.group, row.level): row for row in found.rows}
    assert len(by_name) == len(found.rows) == 9
    assert [row.level for row in found.rows[:3]] == [Level(), Level(0.3), Level(0.1)]
    for level in (Level(), Level(0.1), Level(0.3)):
        one, two, both = (by_name[name, level] for name in ("one", "two", "all"))
        for name in ("documents", "texts", "bytes", "tokens"):
            assert getattr(one, name) + getattr(two, name) == getattr(both, name)
        bits = sum(row.bits_per_byte * row.bytes for row in (one, two))
        assert both.bits_per_byte == pytest.approx(bits / both.bytes)
        assert min(one.reduction, two.reduction, both.prefix_reduction) >= level.reduction
        plain = by_name["one", Level()]
        assert one.ratio.value == pytest.approx(one.bits_per_byte / plain.bits_per_byte)
        assert one.half_ratio.low <= one.half_ratio.value <= one.half_ratio.high
    assert by_name["all", Level()].ratio.value == 1
    assert by_name["all", Level(0.3)].divergence.value > 0
    assert found.embeddings == "mean"
    json.dumps(found.as_json())
    assert len(found.frame()) == 9


def test_what_is_written_is_read_again_to_the_last_bit(measured):
    again = Measured.from_json(json.loads(json.dumps(measured.as_json())))
    for name, value in vars(measured).items():
        np.testing.assert_array_equal(getattr(again, name), value)
        assert getattr(again, name).dtype == value.dtype


def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been(model, tmp_path):
    whole = evaluate(model, maker_of(model), GROUPS, PLAN).as_json()

    def stop(stage, done, total):
        if done >= 8:
            raise KeyboardInterrupt

    path = tmp_path / "a.jsonl"
    with pytest.raises(KeyboardInterrupt):
        evaluate(model, maker_of(model), GROUPS, PLAN, journal=Journal(path, {}), progress=stop)
    with path.open("ab") as file:
        file.write(b'{"group": "one", "batch": 2, "fou')
    journal = Journal(path, {})
    assert journal.find("one", 1) is not None
    assert journal.find("one", 2) is None
    assert evaluate(model, maker_of(model), GROUPS, PLAN, journal=journal).as_json() == whole
    assert len(path.read_text().splitlines()) == 1 + 3 + 2


def test_a_folder_is_gone_on_with_if_nothing_has_changed(tmp_path):
    provenance = Provenance(study="dynamic evaluation", command=["tokkit", "a"])
    folder = tmp_path / "a"
    begin_journal(folder, provenance, {"a": 1})
    other = Provenance(study="dynamic evaluation", command=["tokkit", "b"])
    begin_journal(folder, other, {"a": 1})
    with pytest.raises(UsageError, match="other settings"):
        begin_journal(folder, provenance, {"a": 2})
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_text("")
    with pytest.raises(UsageError, match="exists"):
        begin_journal(tmp_path / "b", provenance, {"a": 1})


def test_texts_are_as_short_as_the_context_wants_them():
    short = decoder("llama", max_position_embeddings=32)
    found = evaluate(short, maker_of(short), {"a": [b"xy zz " * 200]}, Plan(limit=300))
    assert found.rows[0].bytes / found.rows[0].texts <= 33


def test_nothing_to_measure_is_an_error(model):
    for groups in ({}, {"a": []}, {"a": [b"xyz"], "b": [b""]}):
        with pytest.raises(CorpusError, match="no text"):
            evaluate(model, maker_of(model), groups)
    for wrong in ({"batch_size": 0}, {"levels": [Level(1.0)]}, {"levels": [Level(merges=-1)]}):
        with pytest.raises(UsageError):
            Plan(**wrong)


def test_levels_are_merges_or_shares():
    ids = TOKENIZER.encode_batch(TEXTS)
    merged = Level(merges=2).merge(TOKENIZER, ids, "pretokens")
    assert len(merged.merges) == 2
    assert [str(level) for level in LEVELS] == ["0%", "20%", "4"]
    assert Plan(levels=[Level(merges=5)]).all_levels == [Level(merges=0), Level(merges=5)]
    assert merge_batch(TOKENIZER, ids, reduction=0.2).reduction >= 0.2
