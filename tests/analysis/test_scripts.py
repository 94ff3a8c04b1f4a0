import json

import pytest

from tokkit.analysis.scripts import main_script, script_of

ISO = {
    "Latin": "Latn",
    "Cyrillic": "Cyrl",
    "Arabic": "Arab",
    "Hebrew": "Hebr",
    "Devanagari": "Deva",
    "Bengali": "Beng",
    "Tamil": "Taml",
    "Japanese": "Jpan",
    "Hangul": "Hang",
    "Han": "Hans",
    "Thai": "Thai",
    "Greek": "Grek",
    "Georgian": "Geor",
}


def test_scripts_of_the_declaration_of_human_rights(shared):
    with (shared / "corpora" / "udhr.jsonl").open(encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    found = {each["bcp47"]: ISO[main_script(each["text"])] for each in records}
    assert found == {each["bcp47"]: each["script"] for each in records}


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("", "Unknown"),
        ("123 !? 😀", "Unknown"),
        ("hello", "Latin"),
        ("print(x) # это комментарий", "Cyrillic"),
        ("a long English sentence about the particle π alone", "Latin"),
        ("東京", "Han"),
        ("東京タワーです", "Japanese"),
        ("ᱥᱟᱱᱛᱟᱲᱤ", "Ol Chiki"),
    ],
)
def test_main_script(text, script):
    assert main_script(text) == script


def test_shared_characters_have_no_script():
    assert [script_of(each) for each in "a1 я،"] == ["Latin", "", "", "Cyrillic", ""]
