"""Pages in a real browser: they run under their own policy, ask for nothing, and work."""

import json

import pandas as pd
import pytest

import tokkit as library
from tests.report.browser import CHROMIUM, browser
from tokkit.analysis.view import Token, View, view
from tokkit.report.page import CutText, read_folder, render_page, write_page
from tokkit.results import Provenance, write_study, write_table

pytestmark = pytest.mark.skipif(
    CHROMIUM is None,
    reason="no Chromium to open pages in: install Debian's package chromium",
)
ATTACK = "<script>document.title='alert'</script>"
ROWS = 120


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A page with a study, a drawing, and two texts cut by two tokenizers."""
    place = tmp_path_factory.mktemp("page")
    folder = place / "audit"
    folder.mkdir()
    frame = pd.DataFrame(
        {
            "id": range(ROWS),
            "text": [ATTACK, "\u202egnp", "␠the", *(f"t{n}" for n in range(3, ROWS))],
            "share": [(n * 37 % ROWS) / 4 if n % 10 else None for n in range(ROWS)],
            "tokenizer": "only",
        }
    )
    (folder / "drawn.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20" onload="alert(1)">'
        '<script>alert(1)</script><rect width="40" height="20" fill="#0072b2" '
        'style="opacity: 0.5"/></svg>'
    )
    write_table(
        pd.DataFrame({"x": ["2", "10", "1"], "y": ["b", "a", "C"]}), folder / "small.csv"
    )
    write_study(folder, frame, Provenance(study="audit"), {ATTACK: ATTACK})
    tokens = [
        Token(0, ATTACK.encode(), 0, len(ATTACK), False),
        Token(1, b" \n", len(ATTACK), len(ATTACK) + 2, False),
    ]
    pieces = [
        Token(n, bytes([b]), n, n + 1, n == 1) for n, b in enumerate(ATTACK.encode() + b" \n")
    ]
    text = ATTACK.encode() + b" \n"
    texts = [
        CutText("first", View(text, {"whole": tokens, "bytes": pieces})),
        CutText("second", View(b"ab", {"whole": tokens[:1], "bytes": pieces[:2]}), "A note."),
    ]
    write_page(place / "page.html", render_page([read_folder(folder)], texts))
    return place / "page.html"


@pytest.fixture
def page(tab, path):
    """The page, opened anew; nothing may have been complained about or asked for."""
    tab.events.clear()
    tab.look(1200)
    tab.open(path)
    yield tab
    assert tab.complaints() == []
    assert [each for each in tab.loaded() if not each.startswith("blob:")] == [path.as_uri()]
    assert tab.run("document.title") != "alert"


def column(tab, place, table="study-0-table-0"):
    cells = f"document.querySelectorAll('#{table} tbody tr td:nth-child({place})')"
    return tab.run(f"[...{cells}].map(cell => cell.textContent)")


def click(tab, selector):
    tab.run(f"document.querySelector({json.dumps(selector)}).click()")


def click_named(tab, text):
    named = f"each => each.textContent === {json.dumps(text)}"
    tab.run(f"[...document.querySelectorAll('button')].find({named}).click()")


def test_hostile_texts_are_shown(page):
    assert column(page, 2)[:3] == [ATTACK, "\\u202egnp", " the"]
    assert page.run("document.querySelector('.token').textContent") == ATTACK
    assert page.run("document.querySelectorAll('.figures dd')[0].textContent") == ATTACK
    assert page.run("document.querySelectorAll('figure script').length") == 0


def test_tables_sort_by_button_and_by_key(page):
    head = "#study-0-table-0 th:nth-child(3)"
    sort = f"document.querySelector('{head}').getAttribute('aria-sort')"
    assert page.run(sort) == "none"
    page.run(f"document.querySelector('{head} button').focus()")
    page.press("Enter", 13)
    assert page.run(sort) == "ascending"
    values = sorted((n * 37 % ROWS) / 4 for n in range(ROWS) if n % 10)
    assert [float(each) for each in column(page, 3)] == values[:50]
    page.press(" ", 32)
    assert page.run(sort) == "descending"
    assert [float(each) for each in column(page, 3)] == values[::-1][:50]
    click(page, "#study-0-table-1 th:nth-child(1) button")
    assert column(page, 1, "study-0-table-1") == ["1", "2", "10"]
    for _ in range(2):
        click(page, "[aria-label='Next page']")
    assert column(page, 3)[-ROWS // 10 :] == [""] * (ROWS // 10)


def test_tables_filter_and_turn_pages(page):
    count = "document.querySelector('.pages output').textContent"
    assert page.run(count) == "rows 1 to 50 of 120"
    click(page, "[aria-label='Next page']")
    assert page.run(count) == "rows 51 to 100 of 120"
    type_in = (
        "(text => {{ const box = document.querySelector('input[type=search]'); "
        "box.value = text; box.dispatchEvent(new Event('input')); }})({})"
    )
    page.run(type_in.format(json.dumps("<SCRIPT>")))
    assert column(page, 1) == ["0"]
    page.run(type_in.format(json.dumps("u202e")))
    assert column(page, 1) == ["1"]
    page.run(type_in.format(json.dumps("none of them")))
    assert page.run(count) == "no row fits"
    page.run(type_in.format(json.dumps("")))
    assert page.run(count) == "rows 1 to 50 of 120"


def test_a_table_is_saved_as_csv(page):
    caught = (
        "window.saved = null; const real = URL.createObjectURL; URL.createObjectURL = blob => "
        "{ blob.text().then(text => { window.saved = text; }); return real.call(URL, blob); };"
        "HTMLAnchorElement.prototype.click = function () { window.named = this.download; };"
    )
    page.run(caught)
    click_named(page, "Save as CSV")
    page.wait("window.saved !== null")
    lines = page.run("window.saved").splitlines()
    assert lines[0] == "id,text,share,tokenizer"
    assert lines[1] == f"0,{ATTACK},,only"
    assert len(lines) == ROWS + 1
    assert page.run("window.named") == "audit-results.csv"


def test_columns_that_say_the_same_are_put_aside(page):
    heads = "document.querySelectorAll('#study-0-table-0 th:not([hidden])').length"
    assert page.run(heads) == 3
    notes = page.run("[...document.querySelectorAll('.note')].map(each => each.textContent)")
    assert "The same in all rows: tokenizer only." in notes
    click_named(page, "All columns")
    assert page.run(heads) == 4
    assert set(column(page, 4)) == {"only"}


def test_texts_and_tokenizers_are_switched(page):
    heads = "[...document.querySelectorAll('.panel h3')].map(h => h.textContent.split(' ')[0])"
    assert page.run(heads) == ["whole", "bytes"]
    click(page, "fieldset label:first-of-type input")
    assert page.run(heads) == ["bytes"]
    page.run(
        "(choice => { choice.value = '1'; choice.dispatchEvent(new Event('change')); })"
        "(document.querySelector('#live select'))"
    )
    assert page.run("document.querySelectorAll('.token').length") == 2
    assert (
        page.run("document.querySelector('#live .note:not([hidden])').textContent") == "A note."
    )
    click(page, "fieldset label:first-of-type input")
    assert page.run(heads) == ["whole", "bytes"]


def test_tokens_are_reached_by_keys_and_explained(page):
    said = "document.querySelector('.explained').textContent"
    page.run("document.querySelector('#live fieldset label:last-child input').focus()")
    page.press("Tab", 9)
    assert ATTACK in page.run(said)
    assert "id 0" in page.run(said)
    assert ATTACK.encode().hex(" ") in page.run(said)
    assert page.run("document.querySelectorAll('.same').length") == 1 + len(ATTACK)
    page.press("ArrowRight", 39)
    assert "hex 20 0a" in page.run(said)
    start = len(ATTACK)
    assert f"bytes {start} to {start + 2} of the text" in page.run(said)
    assert page.run("document.querySelectorAll('.token[tabindex=\"0\"]').length") == 2
    page.press("Tab", 9)
    page.press("ArrowRight", 39)
    assert "id 1 (special)" in page.run(said)
    page.press("End", 35)
    assert f"id {start + 1}" in page.run(said)
    box = page.run(
        "(({x, y}) => ({x, y}))(document.querySelector('.token').getBoundingClientRect())"
    )
    page.send("Input.dispatchMouseEvent", type="mouseMoved", x=box["x"] + 3, y=box["y"] + 3)
    assert "id 0" in page.run(said)


def test_light_dark_and_narrow(page):
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.run(ground)
    page.look(1200, scheme="dark")
    dark = page.run(ground)
    assert light != dark
    click(page, "#theme")
    assert page.run(ground) == light
    page.look(390)
    assert page.run("document.documentElement.scrollWidth") == 390
    page.look(1200, media="print", scheme="dark")
    assert page.run("getComputedStyle(document.querySelector('.controls')).display") == "none"
    shown = "getComputedStyle(document.querySelector('.scroll')).maxHeight"
    assert page.run(shown) == "none"


def test_everything_that_is_operated_has_a_name(page):
    unnamed = page.run(
        "[...document.querySelectorAll('button, input, select, [role=region], [role=listbox]')]"
        ".filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() "
        "|| e.labels?.length)).map(e => e.outerHTML)"
    )
    assert unnamed == []
    page.run("document.activeElement.blur()")
    page.press("Tab", 9)
    assert page.run("document.activeElement.className") == "skip"
    page.press("Enter", 13)
    page.wait("document.activeElement.id === 'content'")


def test_a_page_that_misbehaves_would_be_noticed(tab, path, tmp_path):
    bad = path.read_text(encoding="utf-8")
    bad = bad.replace(
        "</main>", "<img src='http://127.0.0.1:9/x.png'><i style='top:0'></i></main>"
    )
    (tmp_path / "bad.html").write_text(bad, encoding="utf-8")
    tab.events.clear()
    tab.open(tmp_path / "bad.html")
    said = json.dumps(tab.complaints())
    assert "img-src" in said
    assert "style-src" in said


def test_a_real_tokenizer_and_a_large_table(tab, tmp_path, shared):
    tokenizer = library.load(shared / "tokenizers" / "llama2" / "tokenizer.model")
    text = ("Über den Wolken, 東京 12345 🙂 " * 100).encode()
    frame = pd.DataFrame(
        {
            "id": range(len(tokenizer.vocab)),
            "text": [token.decode("utf-8", "replace") for token in tokenizer.vocab.tokens],
        }
    )
    write_study(tmp_path, frame, Provenance(study="audit"))
    studies = [read_folder(tmp_path, most_rows=len(frame))]
    cut = CutText("text", view(text, {"llama2": tokenizer}))
    write_page(tmp_path / "page.html", render_page(studies, [cut]))
    tab.events.clear()
    tab.open(tmp_path / "page.html")
    shown = tab.run("document.querySelectorAll('.token').length")
    assert shown == len(tokenizer.encode(text))
    sort = "document.querySelector('#study-0-table-0 th:nth-child(2) button').click()"
    now = "performance.now()"
    took = tab.run(f"(start => {{ {sort}; return {now} - start }})({now})")
    assert took < 5_000
    assert tab.complaints() == []
