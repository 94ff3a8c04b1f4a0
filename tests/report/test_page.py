"""Pages of result folders: everything is there, nothing is markup that should be text."""

import json
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokkit.analysis.view import Token, View
from tokkit.errors import UsageError
from tokkit.report.page import CutText, read_folder, render_page
from tokkit.report.page.drawings import inline_svg
from tokkit.report.page.markup import element, escape, script_data, visible
from tokkit.report.page.tables import Table, read_table, shorten
from tokkit.results import Provenance, write_study, write_table

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    '" onload="alert(1)',
    "&amp;&#60;",
    "a\u2028b\u2029c",
    "\u202egnp.exe",
    "\x00\x1b[31m",
    "\u200bzero\u00a0width",
    "]]>",
)
NO_END = {"meta", "input", "img", "br", "link"}


class Reader(HTMLParser):
    """Reads a page strictly: every element that is opened is closed, in order."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.texts, self.elements = [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(set(names)) == len(names), (tag, names)
        self.elements.append((tag, dict(attributes)))
        if tag not in NO_END:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag):
        """Attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def data(self):
        """The JSON of each script that is data, by its id."""
        ids = [each["id"] for each in self.all("script") if "id" in each]
        texts = [text for tag, text in self.texts if tag == "script"]
        return {name: json.loads(text) for name, text in zip(ids, texts, strict=False)}


def hostile_study(folder):
    """A study whose every name and value is hostile."""
    folder.mkdir()
    frame = pd.DataFrame(
        {"id": range(len(HOSTILE)), "text": HOSTILE, "<b>column</b>": HOSTILE[::-1]}
    )
    provenance = Provenance(
        study="<i>study</i>",
        command=["tokkit", HOSTILE[0]],
        tokenizers={HOSTILE[1]: HOSTILE[3]},
    )
    findings = {
        HOSTILE[0]: HOSTILE[1],
        "group": {HOSTILE[2]: HOSTILE[3], "deeper": {HOSTILE[6]: 1}},
        "rows_of_it": [{"x": each, HOSTILE[3]: 1} for each in HOSTILE],
        "definitions": {HOSTILE[4]: HOSTILE[5]},
        "share": 0.25,
        "share_low": 0.125,
        "share_high": 0.5,
    }
    write_study(folder, frame, provenance, findings)
    (folder / "figure <b>.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="alert(1)">'
        '<script>alert(1)</script><a href="javascript:alert(1)"><text>t</text></a>'
        '<image href="http://example.org/x.png"/><style>*{fill:red}</style>'
        '<text style="fill: red; background: url(http://example.org/)" onclick="alert(1)" '
        'fill="url(http://example.org/)">&lt;script&gt;\u202e</text><foreignObject/>'
        '<path id="p" clip-path="url(#p)" d="M0,0"/></svg>',
        encoding="utf-8",
    )
    (folder / "dot.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = hostile_study(tmp_path_factory.mktemp("hostile") / "<u>folder")
    tokens = [
        Token(place, each.encode("utf-8"), place, place + 1, False)
        for place, each in enumerate(HOSTILE)
    ]
    view = View("".join(HOSTILE).encode(), {HOSTILE[0]: tokens, "other": tokens[:2]})
    return render_page([read_folder(folder)], [CutText(HOSTILE[1], view, HOSTILE[2])])


def test_a_hostile_study_is_text(hostile):
    page = Reader(hostile)
    names = {name for name, _ in page.elements}
    assert not names & {"b", "i", "u", "a:href", "iframe", "object", "image", "foreignobject"}
    assert len(page.all("script")) == 1 + 1 + 2  # the page's own, the view, and two tables
    assert len(page.all("style")) == 1
    assert not [key for _, each in page.elements for key in each if key.startswith("on")]
    shown = [text for tag, text in page.texts if tag == "td"]
    assert "<script>alert(1)</script>" in shown
    assert "\\u202egnp.exe" in shown
    assert "\\x00\\x1b[31m" in shown
    outside = "".join(text for tag, text in page.texts if tag not in {"script", "style"})
    assert all(character in "\n " or character.isprintable() for character in outside)
    assert "\u202e" not in hostile


def test_what_a_page_holds_for_its_script_is_what_the_folder_has(hostile):
    data = Reader(hostile).data()
    table = data["study-0-table-0-data"]
    assert [row[1] for row in table["rows"]] == list(HOSTILE)
    assert table["columns"] == ["id", "text", "<b>column</b>"]
    assert table["numeric"] == [True, False, False]
    tokens = data["live-data"][0]["tokenizers"][HOSTILE[0]]
    assert [bytes.fromhex(each["hex"]).decode() for each in tokens] == list(HOSTILE)
    assert tokens[0]["text"] == "<script>alert(1)</script>"


def test_a_page_loads_nothing_and_lets_nothing_run(hostile):
    page = Reader(hostile)
    (policy,) = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert not page.all("link")
    assert not [each for each in page.all("script") if "src" in each]
    for _, attributes in page.elements:
        assert "style" not in attributes
        for name, value in attributes.items():
            assert "://" not in (value or ""), (name, value)
            assert name not in {"src", "href"} or value.startswith(("#", "data:image/"))
    style = next(text for tag, text in page.texts if tag == "style")
    assert "url(" not in style
    assert "@import" not in style
    scripts = [text for tag, text in page.texts if tag == "script"]
    own = scripts[-1]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|fetch", own)
    assert "://" not in own


def test_a_drawing_keeps_what_draws(hostile):
    page = Reader(hostile)
    assert page.all("path") == [
        {"id": "study-0-1-p", "clip-path": "url(#study-0-1-p)", "d": "M0,0"}
    ]
    texts = page.all("text")
    assert texts == [{"fill": "red"}]
    assert [text for tag, text in page.texts if tag == "text"] == ["<script>\\u202e"]
    (picture,) = page.all("img")
    assert picture["src"] == "data:image/png;base64,iVBORw0KGgo="
    assert inline_svg(b"<svg", label="", prefix="") is None
    assert inline_svg(b"<html/>", label="", prefix="") is None
    deep = b"<g>" * 5000 + b"</g>" * 5000
    start = b'<svg xmlns="http://www.w3.org/2000/svg">'
    assert inline_svg(start + deep + b"</svg>", label="", prefix="") is None


def test_figures_and_intervals_are_written_for_people(hostile):
    shown = [text for tag, text in Reader(hostile).texts if tag in {"dt", "dd"}]
    assert shown[shown.index("share") + 1] == "0.25 (0.125 to 0.5)"
    assert "share low" not in shown


@given(st.text())
def test_any_text_stays_a_text(text):
    page = Reader(element("p", text, title=text))
    said = "".join(piece for _, piece in page.texts)
    assert said == visible(text)
    assert page.all("p") == [{"title": visible(text)}]
    assert all(each in "\n " or each.isprintable() for each in said)
    data = script_data("d", {"text": text})
    assert json.loads(re.sub(r"<[^>]*>", "", data)) == {"text": text}
    assert data.isascii()
    assert "<" not in data[1:-9]
    assert escape(escape(text)) == escape(text)


@given(st.lists(st.lists(st.text(max_size=6), min_size=2, max_size=2), max_size=8))
def test_a_table_is_read_as_it_was_written(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("table") / "t.jsonl"
    path.write_text(
        "".join(json.dumps(dict(zip("ab", row, strict=True))) + "\n" for row in rows)
    )
    table = read_table(path)
    assert [list(row) for row in table.rows] == rows


def test_cells_are_the_texts_of_the_file(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a,b,c\n007,NA,"x\ny"\n1,null,\n', encoding="utf-8")
    table = read_table(path)
    assert table.rows == (("007", "NA", "x\ny"), ("1", "null", ""))
    assert table.numeric() == [False, False, False]
    (tmp_path / "n.csv").write_text("a,b\n1e-5,\n-2.50,7\nnan,\n", encoding="utf-8")
    assert read_table(tmp_path / "n.csv").numeric() == [True, True]
    write_table(pd.DataFrame(), tmp_path / "none.csv")
    assert read_table(tmp_path / "none.csv").rows == ()


def test_long_tables_keep_what_is_worth_a_look():
    rows = tuple((str(n), "lost" if n % 100 == 7 else "fine") for n in range(1000))
    table = Table("results", ("id", "status"), rows, 1000)
    kept = shorten(table, 20, {"status": frozenset({"fine"})})
    worth = [*range(7, 1000, 100), 0, 1, 2, 3, 4, 5, 6, 8, 9, 10]
    assert [row[0] for row in kept.rows] == list(map(str, worth))
    assert (kept.total, "status" in kept.picked) == (1000, True)
    assert shorten(table, 3).rows == rows[:3]
    graded = Table("t", ("x", "y"), (("", ""), ("", "b"), ("a", ""), ("a", "b")), 4)
    watched = {"x": frozenset({""}), "y": frozenset({""})}
    assert shorten(graded, 4, watched).rows == (("a", ""), ("a", "b"), ("", "b"), ("", ""))
    assert shorten(table, 5000).rows == rows


def test_an_analysis_has_measures_by_tokenizers(tmp_path):
    rows = [
        (name, by, group, metric, f"what {metric} is", value, value - 0.5, value + 0.5)
        for by, group in (("all", "all"), ("language", "de"))
        for value, (name, metric) in enumerate(
            [("one", "fertility"), ("two", "fertility"), ("one", "tokens"), ("two", "tokens")]
        )
    ]
    names = ["tokenizer", "group_by", "group", "metric", "definition", "value", "low", "high"]
    write_study(tmp_path, pd.DataFrame(rows, columns=names), Provenance(study="analyze"))
    folder = read_folder(tmp_path)
    assert [table.name for table in folder.tables] == ["metrics by tokenizer", "results"]
    assert folder.tables[0].columns == ("metric", "one", "two", "definition")
    assert folder.tables[0].rows == (
        ("fertility", "0", "1", "what fertility is"),
        ("tokens", "2", "3", "what tokens is"),
    )
    titles = [text for tag, text in Reader(render_page([folder])).texts if tag == "title"]
    assert "de, two: 1 (0.5 to 1.5)" in titles
    assert "all, one: 0 (-0.5 to 0.5)" in titles


def test_a_folder_without_a_finished_study_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no summary\.json"):
        read_folder(tmp_path)
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(UsageError, match="not JSON"):
        read_folder(tmp_path)
    (tmp_path / "summary.json").write_text("[]")
    with pytest.raises(UsageError, match="which study"):
        read_folder(tmp_path)
    (tmp_path / "summary.json").write_text('{"study": "x"}')
    (tmp_path / "results.jsonl").write_text("[1]\n")
    with pytest.raises(UsageError, match="line 1"):
        read_folder(tmp_path)


def test_what_lies_beside_a_model_is_a_study(tmp_path):
    warnings = ["short", "numbers are cut in another way: " + "single digits, " * 9]
    record = {
        "tokkit": "0.1.0",
        "tokenizer": "new",
        "rows": {"before": 512, "after": 1511},
        "warnings": warnings,
        "special_tokens": [{"id": 7, "token": "<script>alert(1)</script>"}],
        "numbers": {"<|im_start|>": 1, "of_three\nlines": 2},
        "tensor_hashes": {"x": "0" * 64},
    }
    (tmp_path / "transplant.json").write_text(json.dumps(record), encoding="utf-8")
    folder = read_folder(tmp_path)
    page = Reader(render_page([folder]))
    assert folder.kind.title == "A model on another tokenizer"
    assert [text for tag, text in page.texts if tag == "dd" and text in warnings] == warnings
    shown = [text for tag, text in page.texts if tag in {"th", "td"}]
    assert {"512", "1,511", "<|im_start|>", "of_three\\nlines"} <= set(shown)
    assert "<script>alert(1)</script>" in shown
    assert "0" * 64 not in str(page.texts)


def test_a_chart_shows_every_row(tmp_path):
    frame = pd.DataFrame(
        {
            "tokenizer": ["one", "one", "two", "two"],
            "language": ["de", "<en>", "de", "<en>"],
            "premium": [2.0, 1.0, 1.5, 1.0],
            "premium_low": [1.5, 1.0, 1.25, 1.0],
            "premium_high": [2.5, 1.0, 1.75, 1.0],
        }
    )
    folder = tmp_path / "parity"
    folder.mkdir()
    write_study(folder, frame, Provenance(study="parity"))
    page = render_page([read_folder(folder)])
    read = Reader(page)
    titles = [text for tag, text in read.texts if tag == "title"]
    assert "de, one: 2 (1.5 to 2.5)" in titles
    assert "<en>, two: 1" in titles
    assert len(read.all("circle")) == 4
    assert "Parity of languages: parity" in page
    assert page == render_page([read_folder(folder)])
