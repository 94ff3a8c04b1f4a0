"""Batches against single requests, and single requests against the torch model itself."""

import json
import math
import shutil
import threading

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from tests.lm.conftest import write_tokenizer  # noqa: E402
from tokkit.errors import JobError, ModelError  # noqa: E402
from tokkit.studies.asking import AnswerCache, ask  # noqa: E402
from tokkit.studies.asking.backends import hf_digest, hf_generate  # noqa: E402
from tokkit.studies.asking.backends.hf import HFBackend  # noqa: E402
from tokkit.studies.asking.request import Answer, Decoding, Message, Request  # noqa: E402

SIZE = 33
TEXTS = ["the end", "a", "in and out", "another thing in the inn", "x", "than then"]


def config(kind):
    if kind == "gpt2":
        return transformers.GPT2Config(
            vocab_size=SIZE, n_embd=16, n_layer=2, n_head=4, n_positions=64,
            bos_token_id=0, eos_token_id=1, initializer_range=0.6,
        )  # fmt: skip
    return transformers.LlamaConfig(
        vocab_size=SIZE, hidden_size=16, intermediate_size=24, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=64, bos_token_id=0, eos_token_id=1,
        initializer_range=0.6,
    )  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def folder(request, tmp_path_factory):
    """A folder with a random model; what it says is random, but the same each time."""
    folder = write_tokenizer(tmp_path_factory.mktemp(request.param) / "model")
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_config(config(request.param))
    model.generation_config.repetition_penalty = 1.3  # which no study asked for
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def backend(folder):
    return HFBackend(folder, device="cpu", dtype="float32")


def requests(**decoding):
    how = Decoding(max_tokens=12, **decoding)
    return [Request(key=str(i), prompt=text, decoding=how) for i, text in enumerate(TEXTS)]


def same(first, second):
    """Whether answers are equal, up to the rounding of log probabilities."""
    assert [each.text for each in first] == [each.text for each in second]
    for one, other in zip(first, second, strict=True):
        assert one.completion_tokens == other.completion_tokens
        assert one.prompt_tokens == other.prompt_tokens
        assert one.finish_reason == other.finish_reason
        assert [step.token for step in one.logprobs] == [step.token for step in other.logprobs]
        for step, again in zip(one.logprobs, other.logprobs, strict=True):
            assert step.logprob == pytest.approx(again.logprob, abs=1e-4)


@pytest.mark.parametrize("temperature", [0.0, 0.9])
def test_batch_does_not_matter(backend, temperature):
    asked = requests(temperature=temperature, top_logprobs=3)
    together = backend.answer(asked)
    same(together, [backend.answer([each])[0] for each in asked])
    same(together[::-1], backend.answer(asked[::-1]))
    assert len({each.text for each in together}) > 3


def test_greedy_answers_are_those_of_the_model(backend, folder):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = backend.tokenizer
    for request, answer in zip(requests(), backend.answer(requests()), strict=True):
        ids = [0, *tokenizer.encode(request.prompt).tolist()]
        told = len(ids)
        for _ in range(12):
            token = int(model(torch.tensor([ids])).logits[0, -1].argmax())
            if token == 1:
                break
            ids.append(token)
        assert answer.text.encode() == tokenizer.decode(ids[told:])
        assert (answer.prompt_tokens, answer.completion_tokens) == (told, len(ids) - told)
        assert answer.finish_reason == ("stop" if len(ids) < told + 12 else "length")


def test_log_probabilities_are_those_of_the_model(backend, folder):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    asked = requests(top_logprobs=4, temperature=0.9)
    for request, answer in zip(asked, backend.answer(asked), strict=True):
        ids = [0, *backend.tokenizer.encode(request.prompt).tolist()]
        for step in answer.logprobs:
            row = torch.log_softmax(model(torch.tensor([ids])).logits[0, -1], -1)
            best, places = row.topk(4)
            assert [each.logprob for each in step.top] == pytest.approx(best.tolist(), abs=1e-4)
            names = [backend._text(place) for place in places.tolist()]
            assert [each.token for each in step.top] == names
            ids.append(next(i for i in range(SIZE) if backend._text(i) == step.token))
            assert step.logprob == pytest.approx(row[ids[-1]].item(), abs=1e-4)


def test_draws_follow_the_seed(backend):
    def texts(**how):
        return [each.text for each in backend.answer(requests(temperature=1.0, **how))]

    assert texts(seed=1) == texts(seed=1)
    assert texts(seed=1) != texts(seed=2)


def test_draws_have_the_probabilities_of_the_model(backend):
    decoding = Decoding(temperature=1.0, top_logprobs=1)
    manner = hf_generate.Manner(
        tokens=backend.tokenizer.vocab.tokens,
        ends=frozenset(),
        stop=(),
        decoding=decoding,
        most=1,
    )
    ids = backend._loaded.ids("the", False)
    rows = hf_generate.continue_all(backend._loaded.model, [ids] * 400, range(400), manner)
    likeliest, logprob = rows[0].top[0][0]
    expected = 400 * math.exp(logprob)
    assert 40 < expected < 390
    drawn = sum(row.ids == [likeliest] for row in rows)
    assert abs(drawn - expected) < 4 * math.sqrt(expected)


def test_generating_stops_when_python_ends(folder):
    """A thread that is still within torch then would make the process abort."""
    backend = HFBackend(folder, device="cpu")
    started, go_on, ends = threading.Event(), threading.Event(), []
    take = hf_generate._Watcher._take

    def slowly(watcher, number, token):
        started.set()
        go_on.wait()
        take(watcher, number, token)

    def ask_model():
        try:
            backend.answer([Request(key="0", prompt="the", decoding=Decoding(max_tokens=60))])
        except JobError as error:
            ends.append(str(error))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hf_generate._Watcher, "_take", slowly)
        thread = threading.Thread(target=ask_model)
        thread.start()
        started.wait()
        threading.Timer(0.2, go_on.set).start()
        backend._brake.stop()
        thread.join()
    assert "stopped" in ends[0]


def test_requests_of_a_size_go_together(backend, monkeypatch):
    seen = []
    monkeypatch.setattr(backend, "batch_size", 2)
    monkeypatch.setattr(
        backend,
        "answer",
        lambda asked: seen.append(asked) or [Answer(text=r.key) for r in asked],
    )
    found = ask(requests(), backend, cache=AnswerCache())
    assert [answer.text for answer in found.answers] == [str(i) for i in range(len(TEXTS))]
    lengths = [[len(request.prompt) for request in batch] for batch in seen]
    assert lengths == [[24, 10], [9, 7], [1, 1]]


def test_stop_texts_end_answers(backend):
    whole = [each.text for each in backend.answer(requests())]
    text = max(whole, key=len)
    stop = text[2:4]
    for before, answer in zip(whole, backend.answer(requests(stop=(stop,))), strict=True):
        assert answer.text == before.partition(stop)[0]
        assert (answer.finish_reason == "stop") or stop not in before


def test_long_prompts_are_refused_and_long_answers_cut(backend):
    how = Decoding(max_tokens=1000)
    long, short = (Request(key=str(n), prompt="x " * n, decoding=how) for n in (40, 25))
    first, second = backend.answer([long, short])
    assert "81 tokens" in first.error
    assert "64" in first.error
    assert second.error is None
    assert second.prompt_tokens + second.completion_tokens <= 64


def test_too_little_memory_halves_the_batch(backend, monkeypatch):
    asked = requests(top_logprobs=2)
    whole = backend.answer(asked)
    generate = hf_generate._generate
    sizes = []

    def small(model, prompts, watcher):
        sizes.append(len(prompts))
        if len(prompts) > 2:
            raise torch.OutOfMemoryError("full")
        generate(model, prompts, watcher)

    monkeypatch.setattr(hf_generate, "_generate", small)
    same(whole, backend.answer(asked))
    assert sizes == [6, 3, 1, 2, 3, 1, 2]


CHAT = (
    Message("system", "do it"),
    Message("user", "a in="),
    Message("assistant", "an"),
    Message("user", "the in="),
)
TEMPLATE = (
    "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}"
    "{% endif %}<s>{{ m.role }} {{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant{% endif %}"
)


@pytest.fixture(scope="module")
def chatty(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("chat") / "model"
    shutil.copytree(folder, place)
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "chat_template": TEMPLATE,
    }
    (place / "tokenizer_config.json").write_text(json.dumps(settings))
    return place


def test_chat_templates_are_used_where_there_are_some(chatty):
    backend = HFBackend(chatty, device="cpu")
    assert "chat" in backend.model
    request = Request(key="0", messages=CHAT)
    text, templated = backend._written(request)
    assert text == "<s>user do it\n\na in=<s>assistant an<s>user the in=<s>assistant"
    assert templated
    ids = backend._loaded.ids(text, templated)
    assert ids.count(0) == 4
    assert backend._stops(request) == ()
    plain = HFBackend(chatty, device="cpu", plain=True)
    assert "plain" in plain.model
    assert plain.model != backend.model
    assert plain._written(request)[0] == "do it\n\na in=an\nthe in="
    assert plain._stops(request) == ("\n",)


def test_templates_that_refuse_a_chat_are_named(chatty, tmp_path):
    place = tmp_path / "model"
    shutil.copytree(chatty, place)
    settings = json.loads((place / "tokenizer_config.json").read_text())
    settings["chat_template"] = "{{ raise_exception('never') }}"
    (place / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(ModelError, match=r"never.*--plain"):
        HFBackend(place, device="cpu").answer([Request(key="0", messages=CHAT)])


def test_models_are_named_by_their_content(folder, tmp_path):
    copy = tmp_path / "elsewhere" / "model"
    shutil.copytree(folder, copy)
    assert HFBackend(copy).model == HFBackend(folder).model
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    assert HFBackend(copy).model != HFBackend(folder).model
    assert HFBackend(folder, dtype="float64").model != HFBackend(folder).model


def test_large_weights_are_sampled(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(hf_digest, "WHOLE", 1 << 10)
    monkeypatch.setattr(hf_digest, "_BLOCK", 1 << 4)
    place = tmp_path / "model"
    shutil.copytree(folder, place)
    before = hf_digest.content_digest(place)
    weights = bytearray((place / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (place / "model.safetensors").write_bytes(weights)
    assert hf_digest.content_digest(place) != before


def test_missing_models_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"no config\.json"):
        HFBackend(tmp_path)


def test_real_model_tells_the_same_story_in_any_batch(shared):
    backend = HFBackend(shared / "models" / "stories260k", device="cpu")
    how = Decoding(max_tokens=16, top_logprobs=2)
    starts = ["Once upon a time", "The dog", "Lily went to the park and saw a big", "Tom"]
    asked = [Request(key=text, prompt=text, decoding=how) for text in starts]
    together = backend.answer(asked)
    same(together, [backend.answer([each])[0] for each in asked])
    assert together[0].text.startswith(", there was a little girl named")
