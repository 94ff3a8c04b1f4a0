import json

import numpy as np
import pytest
import tiktoken

import tokkit
from tokkit import Tokenizer, Vocabulary
from tokkit.added import Added, AddedTokens
from tokkit.analysis.cost import cost
from tokkit.chats import chat_overhead, is_published
from tokkit.errors import CorpusError, ModelError, UsageError
from tokkit.prices import Price
from tokkit.segment.longest import LongestMatch

BYTES = tuple(bytes([byte]) for byte in range(256))


@pytest.fixture
def plain():
    """A token for each byte."""
    vocab = Vocabulary(BYTES)
    return Tokenizer(vocab, LongestMatch(vocab.tokens))


def write_lines(path, *records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return [str(path)]


def row_of(found):
    return found.totals.iloc[0].to_dict()


CHAT = [{"role": "system", "content": "abc"}, {"role": "user", "content": "de"}]


@pytest.mark.parametrize(
    ("record", "content", "overhead"),
    [
        ({"messages": CHAT}, 5, 11),
        ({"messages": [["system", "abc"], ["user", "de"]]}, 5, 11),
        ({"custom_id": "1", "body": {"model": "x", "messages": CHAT}}, 5, 11),
        ({"params": {"system": "abc", "messages": CHAT[1:]}}, 5, 11),
        ({"messages": [{"role": "user", "content": "de", "name": "Bob"}]}, 2, 4 + 3 + 1 + 3),
        ({"messages": [{"role": "assistant", "content": None}]}, 0, 7),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "é"}]}]}, 2, 7),
        ({"prompt": "abcd"}, 4, 0),
        ({"text": "abcd", "prompt": "a"}, 4, 0),
    ],
)
def test_prompts_of_every_form(tmp_path, plain, record, content, overhead):
    found = row_of(cost({"plain": plain}, write_lines(tmp_path / "a.jsonl", record)))
    assert (found["content_tokens"], found["overhead_tokens"]) == (content, overhead)
    assert found["prompt_tokens"] == found["longest_prompt"] == content + overhead


def test_models_have_their_own_overhead(tmp_path, plain):
    paths = write_lines(
        tmp_path / "a.jsonl",
        {"messages": [{"role": "user", "content": "de", "name": "Bob"}, *CHAT]},
    )
    models = [(name, None, ["plain"]) for name in ("gpt-3.5-turbo-0301", "gpt-4o", "llama")]
    found = cost({"plain": plain}, paths, models=models)
    # Of the 2023 model a name stands for the role: 3 · 5 + 3 - 1, and the name itself.
    assert found.totals["overhead_tokens"].tolist() == [17 + 3, 16 + 3, 16 + 3]
    assert found.totals["overhead"].tolist() == ["published", "published", "usual"]


def test_published_rules():
    assert all(map(is_published, ["gpt-4", "gpt-4-0314", "gpt-4o-mini", "gpt-3.5-turbo"]))
    assert not any(map(is_published, ["", "gpt-4.1", "gpt-5", "claude-3-haiku", "gpt-40"]))
    assert chat_overhead("gpt-4o") == (4, 3, 1)


def test_parts_that_are_no_text_are_told(tmp_path, plain):
    parts = [{"type": "text", "text": "ab"}, {"type": "image_url", "image_url": {"url": "x"}}]
    messages = [
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
    ]
    found = row_of(
        cost({"plain": plain}, write_lines(tmp_path / "a.jsonl", {"messages": messages}))
    )
    assert (found["content_tokens"], found["uncounted_parts"]) == (2, 2)


def test_calls_of_tools_need_no_content_and_their_descriptions_are_told(tmp_path, plain):
    messages = [
        {"role": "user", "content": "ab"},
        {"role": "assistant", "tool_calls": [{"id": "1"}]},
        {"role": "assistant", "function_call": {"name": "f"}},
        {"role": "tool", "content": "c"},
    ]
    body = {"messages": messages, "tools": [{"type": "function"}]}
    found = row_of(cost({"plain": plain}, write_lines(tmp_path / "a.jsonl", {"body": body})))
    assert (found["messages"], found["content_tokens"], found["uncounted_parts"]) == (4, 3, 3)
    paths = write_lines(tmp_path / "b.jsonl", {"messages": [{"role": "user"}]})
    with pytest.raises(CorpusError, match="a message has no content"):
        cost({"plain": plain}, paths)


def test_texts_are_prompts_as_a_whole_or_by_line(tmp_path, plain):
    (tmp_path / "a.txt").write_bytes(b"ab\ncd\n")
    whole, lines = (
        row_of(cost({"plain": plain}, [str(tmp_path / "a.txt")], lines=by_line))
        for by_line in (False, True)
    )
    assert (whole["prompts"], whole["prompt_tokens"]) == (1, 6)
    assert (lines["prompts"], lines["prompt_tokens"]) == (2, 4)


def test_dollars_per_model_file_and_in_total(tmp_path, plain):
    for name, size in (("a", 10), ("b", 30)):
        (tmp_path / f"{name}.txt").write_bytes(b"x" * size)
    models = [
        ("dear", Price("dear", 100.0, 1000.0, batch=0.5), ["plain"]),
        ("free", Price("free", 0.0, 0.0), ["plain"]),
        ("new", None, ["plain"]),
    ]
    found = cost({"plain": plain}, [str(tmp_path)], models=models, answer_tokens=7)
    assert found.by_file["dollars"].tolist()[:4] == pytest.approx([8e-3, 10e-3, 0, 0])
    assert found.by_file["dollars"].isna().tolist() == [False] * 4 + [True] * 2
    assert found.totals["dollars"].tolist()[:2] == pytest.approx([18e-3, 0])
    said = found.as_json()
    assert said["totals"][2]["dollars"] is None
    assert [each["known"] for each in said["prices"]] == [True, True, False]
    batch = cost({"plain": plain}, [str(tmp_path)], models=models, batch=True)
    assert batch.totals["dollars"][0] == pytest.approx(40 * 100 / 1e6 / 2)


def test_each_model_is_asked_with_its_own_tokenizer(tmp_path, plain):
    (tmp_path / "a.txt").write_bytes(b"abab")
    vocab = Vocabulary((*BYTES, b"ab"))
    pairs = Tokenizer(vocab, LongestMatch(vocab.tokens))
    models = [("one", Price("one", 1e6, 0.0), ["pairs"]), ("two", None, ["plain", "pairs"])]
    found = cost(
        {"plain": plain, "pairs": pairs}, [str(tmp_path / "a.txt")], models=models
    ).totals
    assert found["tokenizer"].tolist() == ["pairs", "plain", "pairs"]
    assert found["prompt_tokens"].tolist() == [2, 4, 2]
    assert found["dollars"].tolist()[0] == 2


class Template:
    """A chat template as transformers has it."""

    def apply_chat_template(self, chat, *, tokenize, add_generation_prompt):
        assert (tokenize, add_generation_prompt) == (False, True)
        if chat[0]["role"] == "system":
            raise ValueError("no system")
        if chat[0]["role"] == "tool":
            raise ValueError("no tools")
        return "".join(f"<s>{each['role']}:{each['content']}" for each in chat) + "<s>"


def test_chat_templates_write_chats_of_other_models(tmp_path):
    vocab = Vocabulary((*BYTES, b""), {"<s>": 256})
    added = AddedTokens((Added("<s>", 256),))
    tokenizer = Tokenizer(vocab, LongestMatch(vocab.tokens), added=added)
    paths = write_lines(
        tmp_path / "a.jsonl", {"messages": CHAT}, {"prompt": "abc"}, {"messages": CHAT[1:]}
    )
    found = cost(
        {"own": tokenizer},
        paths,
        models=[("llama", None, ["own"]), ("gpt-4", None, ["own"])],
        templates={"own": Template()},
    ).totals
    # <s>user:abc, two line feeds, de<s>; abc; <s>user:de<s>
    assert found["prompt_tokens"].tolist() == [14 + 3 + 9, 5 + 11 + 3 + 2 + 7]
    assert found["content_tokens"].tolist() == [10, 10]
    assert found["overhead"].tolist() == ["template", "published"]
    refused = write_lines(
        tmp_path / "b.jsonl", {"messages": [{"role": "tool", "content": "a"}]}
    )
    with pytest.raises(ModelError, match=r"no tools.*--plain"):
        cost({"own": tokenizer}, refused, templates={"own": Template()})


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("{", "line 1: not JSON"),
        ("[1]", "line 1: not a JSON object"),
        ('{"a": 1}', "line 1: no messages, prompt or 'text'"),
        ('{"text": 1}', "line 1: column 'text' holds int"),
        ('{"messages": "a"}', "line 1: 'messages' is not a list"),
        ('{"messages": [{"role": "user"}]}', "line 1: a message has no content"),
        ('{"messages": [["user"]]}', "line 1: a message has no content"),
        ('{"text": "\\ud800"}', "half of a surrogate pair"),
        ("", "no prompt in these files"),
    ],
)
def test_bad_prompts_are_named(tmp_path, plain, content, error):
    (tmp_path / "a.jsonl").write_text(content + "\n" if content else "")
    with pytest.raises(CorpusError, match=error):
        cost({"plain": plain}, [str(tmp_path / "a.jsonl")])


def test_tables_are_refused(tmp_path, plain):
    (tmp_path / "a.parquet").write_bytes(b"")
    with pytest.raises((UsageError, CorpusError)):
        cost({"plain": plain}, [str(tmp_path / "a.parquet")])


def test_prompt_tokens_of_the_api(shared, tmp_path):
    """The published rule, with tiktoken, on chats with names."""
    import base64

    lines = (shared / "tokenizers/tiktoken/cl100k_base.tiktoken").read_bytes().splitlines()
    ranks = {base64.b64decode(t): int(r) for t, r in (line.split() for line in lines)}
    pattern = (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++"
        r"[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    )
    encoding = tiktoken.Encoding("c", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    with (shared / "corpora" / "udhr.jsonl").open(encoding="utf-8") as file:
        texts = [text for line in file for text in json.loads(line)["segments"].values()]
    chats = [
        [
            {"role": "system", "content": "You translate."},
            {"role": "user", "name": "lector", "content": text},
        ]
        for text in texts[::11]
    ]
    expected = []
    for chat in chats:
        tokens = 3
        for message in chat:
            tokens += 3 + ("name" in message)
            tokens += sum(len(encoding.encode_ordinary(value)) for value in message.values())
        expected.append(tokens)
    paths = write_lines(tmp_path / "chats.jsonl", *({"messages": chat} for chat in chats))
    tokenizer = tokkit.load(shared / "tokenizers" / "hf" / "cl100k" / "tokenizer.json")
    found = cost({"cl100k": tokenizer}, paths, models=[("gpt-4o", None, ["cl100k"])])
    (counted,) = found.files.values()
    own = counted.content["cl100k"] + counted.overhead("cl100k", "gpt-4o")
    assert own.tolist() == expected
    assert row_of(found)["prompt_tokens"] == np.sum(expected)
