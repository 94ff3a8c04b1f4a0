"""``tokkit report``: one page of folders that other commands wrote."""

import json


def test_folders_and_texts_become_a_page(invoke, trained, prose, tmp_path):
    assert invoke("compare", trained, f"again={trained}", "-o", tmp_path / "c").exit_code == 0
    output = tmp_path / "page.html"
    text = tmp_path / "<i>text.txt"
    text.write_text("é" * 15_000, encoding="utf-8")
    arguments = ("report", tmp_path / "c", "-o", output, "-t", trained, "-t", f"x={trained}")
    result = invoke(*arguments, "--text", text, "--text", prose, "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert said == {"output": str(output), "studies": 1, "bytes": output.stat().st_size}
    page = output.read_text(encoding="utf-8")
    data = page.split('id="live-data">')[1].split("</script>")[0]
    first, second = json.loads(data)
    assert first["name"] == "<i>text.txt"
    assert first["text"] == "é" * 10_000
    assert first["note"] == "The first 20,000 of 30,000 bytes."
    assert list(second["tokenizers"]) == ["bpe", "x"]
    assert (second["text"], second["note"]) == (prose.read_text(encoding="utf-8"), "")
    again = invoke(*arguments)
    assert again.exit_code == 2
    assert "--force" in again.stderr
    sample = invoke("report", "-o", output, "-t", trained, "--force", "--title", "A <b> title")
    assert sample.exit_code == 0, sample.stderr
    assert "<h1>A &lt;b&gt; title</h1>" in output.read_text(encoding="utf-8")


def test_what_is_missing_is_said_in_a_line(invoke, trained, prose, tmp_path):
    output = tmp_path / "page.html"
    for arguments, said in (
        ((), "--tokenizer"),
        ((tmp_path, "--text", prose), "--tokenizer"),
        ((tmp_path,), "no summary.json"),
        ((tmp_path / "nowhere",), "no summary.json"),
        (("-t", trained, "--text", tmp_path / "nothing"), "nothing"),
    ):
        result = invoke("report", *arguments, "-o", output)
        assert (result.exit_code, result.stdout) == (2, ""), result.stderr
        assert said in result.stderr
        assert result.stderr.count("\n") == 1
    assert not output.exists()
