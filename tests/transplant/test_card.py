import pytest
import yaml

from tokkit.transplant.card import CardFacts, kept_lines, model_card

FACTS = CardFacts(
    base_model='org/some "model"',
    target="/data/tokenizers/llama3",
    method_in="last",
    method_out="front",
    rows=128_256,
    counts={"copied": 26_599, "composed": 101_401, "override": 0},
    tied=False,
)


def test_paths_are_not_told(tmp_path):
    (tmp_path / "my-model").mkdir()
    card = model_card(CardFacts(**{**vars(FACTS), "base_model": str(tmp_path / "my-model")}))
    assert front(card)["base_model"] == "my-model"
    assert str(tmp_path) not in card
    assert "/data" not in card


def front(card):
    return yaml.safe_load(card.split("---\n")[1])


def test_a_card_says_what_was_done():
    card = model_card(FACTS)
    assert front(card) == {
        "base_model": 'org/some "model"',
        "base_model_relation": "finetune",
        "library_name": "transformers",
        "tags": ["tokkit", "tokenizer-transplant"],
    }
    assert '# org/some "model" with the tokenizer of llama3\n' in card
    assert "`last` for the input, `front` for the output" in card
    assert "| copied | 26,599 | 20.8% |" in card
    assert "override" not in card
    assert "128,256 rows" in card
    assert "## Mind" not in card


def test_warnings_and_measures_are_listed():
    facts = CardFacts(
        **{
            **vars(FACTS),
            "method_out": "last",
            "tied": True,
            "warnings": ["numbers are\ncut differently"],
            "measures": {"bits per byte": "1.2 | 1.3"},
            "loader": "tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)",
        }
    )
    card = model_card(facts)
    assert "by `last`." in card
    assert "shared with the input embedding" in card
    assert "## Mind\n\n* numbers are cut differently\n" in card
    assert "| bits per byte | 1.2 \\| 1.3 |" in card
    assert "\ntokenizer = PreTrainedTokenizerFast" in card


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (
            "---\nlicense: mit\ntags:\n- x\nlanguage:\n- de\n- en\npipeline: y\n---\n# Model\n",
            2,
        ),
        ("---\r\nlicense: mit\r\n---\r\n", 1),
        ("# Model\nlicense: mit\n---\n---\n", 0),
        ("---\nlicense: mit\n", 0),
        ("", 0),
    ],
)
def test_licence_and_language_are_kept(tmp_path, text, kept):
    (tmp_path / "README.md").write_bytes(text.encode())
    lines = kept_lines(tmp_path)
    found = front(model_card(CardFacts(**{**vars(FACTS), "front": lines})))
    assert len(set(found) & {"license", "language"}) == kept
    if kept == 2:
        assert found["language"] == ["de", "en"]


def test_no_card_keeps_nothing(tmp_path):
    assert kept_lines(tmp_path) == ""
