from tokkit.lm.chat_template import chat_template, without_system


def test_system_goes_into_the_first_question():
    chat = [("system", "Be brief."), ("user", "5+6=")]
    assert without_system(chat) == [("user", "Be brief.\n\n5+6=")]
    assert without_system(chat[1:]) == chat[1:]
    assert without_system(chat[:1]) == []


def test_folders_without_a_template(tmp_path):
    assert chat_template(str(tmp_path)) is None
    (tmp_path / "tokenizer_config.json").write_text("[]")
    (tmp_path / "tokenizer.model").write_text("")
    assert chat_template(str(tmp_path / "tokenizer.model")) is None
