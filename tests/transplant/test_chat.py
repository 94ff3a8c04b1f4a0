import json

import pytest
import transformers

from tests.transplant.folders import CHATML, LLAMA_2, LLAMA_3, byte_level, write
from tokkit import load
from tokkit.errors import UsageError
from tokkit.transplant.settings.chat import check_chat, choose_chat
from tokkit.transplant.settings.roles import find_roles, texts_of
from tokkit.transplant.settings.templates import read_templates, render

CHATML_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA_3_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message.role }}"
    "<|end_header_id|>\n\n{{ message.content | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
LLAMA_2_TEMPLATE = (
    "{% for message in messages %}{% if message.role == 'user' %}"
    "{{ bos_token }}[INST] {{ message.content }} [/INST]{% else %}"
    "{% generation %} {{ message.content }} {{ eos_token }}{%- endgeneration -%}{% endif %}"
    "{% endfor %}"
)


@pytest.fixture
def make(tmp_path):
    def make_folder(name, specials, template=None, **config):
        if template is not None:
            config["chat_template"] = template
        folder = write(tmp_path / name, byte_level(specials), config)
        return folder, load(folder)

    return make_folder


def choose(policy, source, target, **options):
    roles = find_roles(target[1])
    return choose_chat(policy, source[0], target[0], source[1], target[1], roles, **options)


def test_the_target_s_own_is_the_default(make):
    source = make("source", LLAMA_3, LLAMA_3_TEMPLATE)
    target = make("target", CHATML, CHATML_TEMPLATE)
    chat = choose("target", source, target, ends=[2])
    assert chat.origin == "target"
    assert chat.templates == {"default": CHATML_TEMPLATE}
    assert chat.problems == ()


def test_the_source_s_is_kept_where_the_target_can_say_it(make):
    source = make("source", LLAMA_2, LLAMA_2_TEMPLATE)
    chat = choose("target", source, make("target", LLAMA_3))
    assert (chat.origin, chat.problems) == ("source", ())


def test_else_there_is_none_and_why(make):
    source = make("source", LLAMA_3, LLAMA_3_TEMPLATE)
    chat = choose("target", source, make("target", CHATML))
    assert (chat.origin, chat.templates) == ("none", {})
    assert "'<|end_header_id|>'" in chat.problems[0]
    nothing = choose("target", make("bare", LLAMA_2), make("other", CHATML))
    assert (nothing.origin, nothing.problems) == ("none", ())


def test_whoever_insists_on_the_source_s_is_told_what_is_wrong(make):
    source = make("source", LLAMA_3, LLAMA_3_TEMPLATE)
    target = make("target", CHATML, CHATML_TEMPLATE)
    chat = choose("source", source, target, ends=[2])
    assert chat.templates == {"default": LLAMA_3_TEMPLATE}
    assert len(chat.problems) == 4
    assert "<|eot_id|>" in chat.problems[1]
    assert "ends generation" in chat.problems[3]


def test_none_and_files(make, tmp_path):
    source = make("source", LLAMA_3, LLAMA_3_TEMPLATE)
    target = make("target", CHATML)
    assert choose("none", source, target).templates == {}
    (tmp_path / "mine.jinja").write_text(CHATML_TEMPLATE)
    chat = choose(str(tmp_path / "mine.jinja"), source, target)
    assert chat.templates == {"default": CHATML_TEMPLATE}
    assert chat.problems == ()
    with pytest.raises(UsageError, match="nowhere"):
        choose("nowhere", source, target)
    with pytest.raises(UsageError, match="neither"):
        choose(str(tmp_path), source, target)


def test_what_ends_an_answer_has_to_end_generation(make):
    _, target = make("target", CHATML)
    roles = find_roles(target)
    assert list(check_chat(CHATML_TEMPLATE, target, roles, ends=[2])) == []
    (problem,) = check_chat(CHATML_TEMPLATE, target, roles, ends=[0])
    assert "ends an answer" in problem


def test_a_doubled_beginning_is_a_problem(make):
    _, target = make("target", LLAMA_3)
    template = "{{ bos_token }}" + LLAMA_3_TEMPLATE
    (problem,) = check_chat(template, target, find_roles(target))
    assert "twice" in problem


@pytest.mark.parametrize(
    "template",
    [
        "{% for %}",
        "{{ raise_exception('no chats') }}",
        "{{ ''.__class__.__mro__ }}{{ messages.append(1) }}",
        "{{ messages[9].content.x }}",
    ],
)
def test_broken_templates_are_problems(make, template):
    _, target = make("target", LLAMA_3)
    (problem,) = check_chat(template, target, find_roles(target))
    assert "cannot be rendered" in problem


def test_templates_may_ask_for_tools_and_the_date(make):
    _, target = make("target", LLAMA_3)
    template = (
        "{% if tools is not none %}{{ raise_exception('tools') }}{% endif %}"
        "{{ strftime_now('%Y') }}{{ {'ü': 1} | tojson(indent=2) }}"
        "{% for m in messages %}{% if m.role == 'system' %}{% break %}{% endif %}{% endfor %}"
    )
    assert list(check_chat(template, target, find_roles(target))) == []


def test_a_hub_id_is_no_place_beside_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "chat_template.jinja").write_text("A")
    monkeypatch.chdir(tmp_path)
    assert read_templates("gpt2") == {}


def test_all_places_of_templates_are_read(tmp_path):
    assert read_templates(tmp_path) == {}
    listed = [{"name": "default", "template": "A"}, {"name": "tool_use", "template": "B"}]
    config = tmp_path / "tokenizer_config.json"
    config.write_text(json.dumps({"chat_template": listed}))
    assert read_templates(tmp_path) == {"default": "A", "tool_use": "B"}
    (tmp_path / "chat_template.json").write_text(json.dumps({"chat_template": "C"}))
    assert read_templates(config) == {"default": "C", "tool_use": "B"}
    (tmp_path / "chat_template.jinja").write_text("D")
    (tmp_path / "additional_chat_templates").mkdir()
    (tmp_path / "additional_chat_templates" / "rag.jinja").write_text("E")
    assert read_templates(tmp_path) == {"default": "D", "tool_use": "B", "rag": "E"}
    config.write_text("[")
    (tmp_path / "chat_template.json").write_text("[]")
    assert read_templates(tmp_path) == {"default": "D", "rag": "E"}


@pytest.mark.parametrize("template", [CHATML_TEMPLATE, LLAMA_3_TEMPLATE, LLAMA_2_TEMPLATE])
def test_rendering_is_that_of_transformers(make, template):
    folder, tokenizer = make(
        "target",
        (*LLAMA_3, *CHATML),
        template,
        bos_token="<|begin_of_text|>",
        eos_token="<|eot_id|>",
    )
    turns = [{"role": "user", "content": " Grüße "}, {"role": "assistant", "content": "x"}]
    theirs = transformers.AutoTokenizer.from_pretrained(folder)
    texts = texts_of(tokenizer, find_roles(tokenizer))
    for prompt in (False, True):
        assert render(template, turns, texts, prompt=prompt) == theirs.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=prompt
        )
