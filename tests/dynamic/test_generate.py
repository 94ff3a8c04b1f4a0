"""Writing with an index, beside transformers and beside a model that has all rows."""

from copy import deepcopy

import numpy as np
import pytest
import torch
import transformers

from tests.dynamic.models import SIZE, START, TOKENIZER, decoder
from tokkit.dynamic.models.embedding import NewRows
from tokkit.dynamic.writing.choices import Options, drop_unlikely, penalise
from tokkit.dynamic.writing.generate import Writer
from tokkit.dynamic.writing.index import TokenIndex
from tokkit.dynamic.writing.indexing import build_index
from tokkit.dynamic.writing.retrieval import Candidates, Retrieval
from tokkit.errors import ModelError, UsageError
from tokkit.hypernet.source import SourceRows
from tokkit.lm.hf import HFModel
from tokkit.resources import resource

NAMES = ["llama", "gpt2", "gemma2", "gemma3_text", "opt", "phi", "bloom", "falcon", "gpt_neox"]
NEW = [b"xy", b"zz", b"abab", b"xyz", b"q q", b"ba"]
GREEDY = Options(max_bytes=20, temperature=0, repetition_penalty=1, top_k=8)
PROMPT = b"xyab zz"


class Rows:
    """Random rows, as long as the model's own or of zeros."""

    name = "random"

    def __init__(self, source, scale=0.2):
        self.source = source
        self.scale = scale

    def rows(self, tokens, parts):
        random = np.random.default_rng(5)
        shape = (2, len(tokens), self.source.hidden)
        first, second = (self.scale * random.normal(size=shape)).astype(np.float32)
        bias = random.normal(size=len(tokens)) if self.source.bias is not None else None
        bias = None if bias is None else (self.scale * bias).astype(np.float32)
        return NewRows(first, second, bias)


def indexed(model, folder, scale=0.2, kind="flat"):
    source = SourceRows.of(model.model, model.tokenizer)
    build_index(source, NEW, Rows(source, scale), folder, kind=kind)
    return TokenIndex(folder, probe=1.0)


def grown(model, index):
    """The torch model with the new tokens in its matrices: transformers knows them too."""
    bigger = deepcopy(model.model)
    embedding, head = bigger.get_input_embeddings(), bigger.get_output_embeddings()
    weights = [embedding.weight.detach(), head.weight.detach()]
    for module, own, new in zip(
        (embedding, head), weights, (index.input, index.output), strict=True
    ):
        wider = torch.cat([own, torch.from_numpy(np.array(new, dtype=np.float32))])
        module.weight = torch.nn.Parameter(wider)
    if index.bias is not None:
        bias = torch.from_numpy(np.array(index.bias))
        head.bias = torch.nn.Parameter(torch.cat([head.bias.detach(), bias]))
    return bigger


def greedy(model, ids, count):
    """What transformers writes, token by token."""
    whole = torch.tensor([ids])
    config = transformers.GenerationConfig(
        max_new_tokens=count, do_sample=False, eos_token_id=None, pad_token_id=0
    )
    with torch.inference_mode():
        found = model.generate(
            whole, attention_mask=torch.ones_like(whole), generation_config=config
        )
    return found[0, len(ids) :].tolist()


def written_ids(model, index, ids, count):
    """The likeliest token after the other, through `Retrieval`."""
    found = []
    with Retrieval(model, index, top_k=4) as retrieval:
        read = ids
        for _ in range(count):
            candidates = retrieval.read(read)
            found.append(int(candidates.ids[candidates.logits.argmax()]))
            read = found[-1:]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_with_new_tokens_that_never_win_it_writes_as_transformers_does(name, tmp_path):
    model = decoder(name)
    index = indexed(model, tmp_path / "index", scale=0)
    ids = [START, *TOKENIZER.encode(PROMPT).tolist()]
    expected = greedy(model.model, ids, 12)
    assert written_ids(model, None, ids, 12) == expected
    assert written_ids(model, index, ids, 12) == expected


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["flat", "ivf"])
def test_it_writes_as_a_model_that_has_all_rows_of_its_own(name, kind, tmp_path):
    model = decoder(name)
    index = indexed(model, tmp_path / "index", scale=2, kind=kind)
    bigger = grown(model, index)
    ids = [START, *TOKENIZER.encode(PROMPT).tolist()]
    expected = greedy(bigger, ids, 12)
    assert written_ids(model, index, ids, 12) == expected
    assert max(expected) >= SIZE, name
    with Retrieval(model, index, top_k=1000) as retrieval:
        candidates = retrieval.read([*ids, SIZE + 1, SIZE + 3])
    with torch.inference_mode():
        whole = torch.tensor([[*ids, SIZE + 1, SIZE + 3]])
        expected = bigger(input_ids=whole).logits[0, -1].numpy()
    assert (candidates.ids == np.arange(SIZE + len(NEW))).all()
    np.testing.assert_allclose(candidates.logits, expected, rtol=1e-5, atol=1e-5)


def test_a_boost_is_added_to_the_logits_of_new_tokens(tmp_path):
    model = decoder("gemma2")
    index = indexed(model, tmp_path / "index")
    found = []
    for boost in (0.0, 2.5):
        with Retrieval(model, index, top_k=1000, boost=boost) as retrieval:
            found.append(retrieval.read([START]).logits)
    assert (found[0][:SIZE] == found[1][:SIZE]).all()
    np.testing.assert_allclose(found[1][SIZE:], found[0][SIZE:] + 2.5, rtol=1e-6)
    writer = Writer(model, index)
    texts = [writer.write(PROMPT, Options(max_bytes=40, boost=boost)) for boost in (0, 50)]
    assert texts[0].new < len(texts[1].tokens) == texts[1].new


def test_some_of_these_models_are_tied_have_a_bias_or_change_logits(tmp_path):
    models = {name: decoder(name) for name in NAMES}
    sources = {name: SourceRows.of(each.model, TOKENIZER) for name, each in models.items()}
    assert sources["gpt2"].tied
    assert not sources["llama"].tied
    assert sources["phi"].bias is not None
    assert models["gemma2"].model.config.final_logit_softcapping


def test_the_model_is_as_before_afterwards(tmp_path):
    model = decoder("gpt2")
    names = list(model.model.state_dict())
    parts = model.model.get_input_embeddings(), model.model.get_output_embeddings()
    index = indexed(model, tmp_path / "index")
    writer = Writer(model, index)
    writer.write(PROMPT, GREEDY)
    with Retrieval(model, index, top_k=3):
        assert parts[0] is not model.model.get_input_embeddings()
        assert parts[1] is not model.model.get_output_embeddings()
    assert parts == (model.model.get_input_embeddings(), model.model.get_output_embeddings())
    assert list(model.model.state_dict()) == names


def test_the_demo_model_writes_as_transformers_does(tmp_path):
    folder = resource("demo-model")
    model = HFModel.load(folder, dtype="float32")
    source = SourceRows.read(folder)
    build_index(source, [b" of the", b" in the"], Rows(source, 0), tmp_path / "index")
    writer = Writer.load(folder, TokenIndex(tmp_path / "index"), dtype="float32")
    ids = [*model.start, *model.tokenizer.encode(b"The first").tolist()]
    expected = greedy(model.model, ids, 40)
    assert written_ids(writer.model, writer.index, ids, 40) == expected
    text = writer.write("The first", Options(max_bytes=60, temperature=0, repetition_penalty=1))
    assert model.tokenizer.decode(expected).startswith(text.data)
    assert (text.finish, text.new, text.base_tokens) == ("length", 0, len(text.tokens))


def test_the_same_seed_gives_the_same_text(tmp_path):
    model = decoder("llama")
    writer = Writer(model, indexed(model, tmp_path / "index"))
    texts = [writer.write(PROMPT, Options(max_bytes=30, seed=seed)).data for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_parts_that_are_written_are_the_text(tmp_path):
    model = decoder("llama")
    writer = Writer(model, indexed(model, tmp_path / "index"))
    writing = writer.begin(PROMPT, Options(max_bytes=30, min_p=0, seed=3))
    assert "".join(writing) == writing.result().text
    said = writing.result().as_json()
    assert bytes.fromhex(said["hex"]) == writing.result().data
    assert said["n_bytes"] >= 30
    assert said["recall"] is None


def test_tokens_are_drawn_as_often_as_they_are_likely(tmp_path):
    model = decoder("llama")
    index = indexed(model, tmp_path / "index", scale=0.6)
    options = Options(max_bytes=1, min_p=0.2, repetition_penalty=1, top_k=50)
    with Retrieval(model, index, top_k=50) as retrieval:
        candidates = retrieval.read([START])
    weights = np.exp(candidates.logits.astype(np.float64))
    weights[weights < 0.2 * weights.max()] = 0
    chooser = options.chooser()
    logits = drop_unlikely(penalise(candidates, np.array([], dtype=int), 1), 0.2, 1)
    drawn = np.bincount([chooser.choose(logits) for _ in range(4000)], minlength=logits.size)
    assert (drawn[weights == 0] == 0).all()
    np.testing.assert_allclose(drawn / 4000, weights / weights.sum(), atol=0.03)


@pytest.mark.parametrize("min_p", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_unlikely_tokens_are_those_that_transformers_drops(min_p, temperature):
    logits = np.random.default_rng(0).normal(size=50) * 3
    warper = transformers.MinPLogitsWarper(min_p)
    expected = warper(None, torch.from_numpy(logits / temperature)[None])[0].numpy()
    found = drop_unlikely(logits, min_p, temperature)
    assert (np.isinf(found) == np.isinf(expected)).all()
    assert (found[np.isfinite(found)] == logits[np.isfinite(found)]).all()


def test_seen_tokens_are_lowered_as_transformers_lowers_them():
    logits = np.array([2.0, -1.0, 0.5, -3.0], dtype=np.float32)
    candidates = Candidates(np.array([3, 5, 8, 9]), logits)
    assert penalise(candidates, np.array([3, 5]), 2).tolist() == [1.0, -2.0, 0.5, -3.0]
    scores = torch.full((1, 10), -9.0)
    scores[0, candidates.ids] = torch.from_numpy(logits)
    processor = transformers.RepetitionPenaltyLogitsProcessor(1.3)
    expected = processor(torch.tensor([[5, 5, 9]]), scores)[0, candidates.ids].numpy()
    found = penalise(candidates, np.array([5, 9]), 1.3)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_what_ends_a_text_ends_it(tmp_path):
    model = decoder("llama")
    index = indexed(model, tmp_path / "index", scale=0)
    end = written_ids(model, None, [START, *TOKENIZER.encode(PROMPT).tolist()], 3)[2]
    ending = HFModel(model.model, TOKENIZER, start=[START], ends=[end])
    found = Writer(ending, index).write(PROMPT, GREEDY)
    assert (found.finish, len(found.tokens)) == ("end", 2)


def test_a_context_that_is_full_ends_a_text(tmp_path):
    model = decoder("llama", max_position_embeddings=12)
    writer = Writer(model, indexed(model, tmp_path / "index", scale=0))
    found = writer.write(PROMPT, Options(max_bytes=1000, temperature=0))
    assert found.finish == "context"
    assert found.prompt_tokens + len(found.tokens) == 12
    with pytest.raises(ModelError, match="leaves no room in the context of 12"):
        writer.write(b"xyxyxyxyxyxyxyxyxyx")


def test_prompts_may_have_new_tokens(tmp_path):
    model = decoder("llama")
    index = indexed(model, tmp_path / "index")
    writer = Writer(model, index)
    plain = writer.write(b"xyz q q abab", GREEDY)
    assert plain.prompt_tokens == 1 + len(TOKENIZER.encode(b"xyz q q abab"))
    short = writer.write(b"xyz q q abab", GREEDY, prompt_tokens="all")
    # xyz, a space and q, a space and q, a and bab behind a space
    assert short.prompt_tokens < plain.prompt_tokens
    ids = [START, SIZE + NEW.index(b"xyz")]
    assert writer.begin(b"xyz", GREEDY, prompt_tokens="all")._prompt == ids
    assert b"".join(map(writer.spelled, ids)) == b"xyz"


def test_recall_is_the_share_of_steps_whose_best_token_was_proposed(tmp_path):
    model = decoder("llama")
    index = indexed(model, tmp_path / "index", scale=0.6)
    found = Writer(model, index).write(PROMPT, GREEDY, exact=True)
    assert (found.recall, found.recall_new) == (1.0, 1.0)
    blind = TokenIndex(tmp_path / "index")
    blind.search = lambda state, count: np.array([0])
    seen = Writer(model, blind).write(PROMPT, GREEDY, exact=True)
    assert seen.recall_new < 1
    steps = retrieval_steps(model, blind, index)
    assert (seen.recall_new, seen.recall) == tuple(np.mean(steps, axis=0))


def retrieval_steps(model, blind, index):
    """Whether the first new token was the best new one, or the best of all not a new one."""
    read = [START, *TOKENIZER.encode(PROMPT).tolist()]
    text = Writer(model, blind).begin(PROMPT, GREEDY)
    list(text)
    steps = []
    for token in [None, *text._ids[:-1]]:
        read = read if token is None else [*read, token]
        with Retrieval(model, index, top_k=1000) as retrieval:
            logits = retrieval.read(read).logits
        best = int(logits[SIZE:].argmax())
        steps.append((best == 0, best == 0 or logits[SIZE:].max() <= logits[:SIZE].max()))
    return steps


def test_an_index_of_another_model_is_refused(tmp_path):
    model = decoder("llama")
    index = indexed(model, tmp_path / "index")
    for other in (decoder("phi"), decoder("llama", hidden_size=24)):
        with pytest.raises(ModelError, match="of another model"):
            Writer(other, index).write(PROMPT)


def test_an_index_of_other_rows_is_refused(tmp_path):
    folder = resource("demo-model")
    source = SourceRows.read(folder)
    moved = SourceRows(source.tokenizer, source.input + 1, source.output, None)
    build_index(moved, [b" of the"], Rows(moved), tmp_path / "index")
    with pytest.raises(ModelError, match="other embeddings"):
        Writer.load(folder, TokenIndex(tmp_path / "index"))


def test_a_model_without_keys_and_values_is_refused(tmp_path):
    model = decoder("mamba")
    with pytest.raises(ModelError, match="no keys and values"):
        Writer(model).write(PROMPT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_p": 2},
        {"top_k": 0},
        {"max_bytes": 0},
        {"repetition_penalty": 0},
        {"temperature": -1},
    ],
)
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Options(**wrong)
