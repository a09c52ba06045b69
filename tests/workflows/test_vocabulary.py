"""Word files of an operator change what a running bot understands; what cannot be used is told once and left out."""

import tomllib
from pathlib import Path

from intents.overlay import HERE
from tests.scenario import scenario, settings_for
from workflows.check import words_line
from workflows.vocabulary import words_folder
from workflows.words import Words
from workflows.words_report import report_lines

WORD = '[device]\nmicrophone = ["小蘑菇"]\n'


async def test_a_new_word_counts_from_the_next_message_on(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        await bot.say("fang", "小蘑菇不唱了")
        bot.expect("fang", "没太明白")
        bot.nothing_more()
        folder = words_folder(bot.ground.settings)
        folder.mkdir()
        (folder / "things.toml").write_text(WORD, encoding="utf-8")
        await bot.say("fang", "小蘑菇坏了，会议室那个")
        assert (await bot.fault()).device == "microphone"


async def test_a_refused_change_leaves_the_words_and_is_told_to_the_administrator_once(tmp_path: Path) -> None:
    async with scenario(tmp_path) as bot:
        folder = words_folder(bot.ground.settings)
        folder.mkdir()
        (folder / "things.toml").write_text(WORD, encoding="utf-8")
        await bot.settle()
        (folder / "signals.toml").write_text("[signals]\nwithdraw = ['(']\n", encoding="utf-8")
        await bot.settle()
        bot.expect("admin", "词表的改动没有启用：signals.toml：signals.withdraw 里的“(”写法有误", "仍按原来的词表")
        await bot.advance("1h")
        bot.nothing_more()
        await bot.say("fang", "小蘑菇坏了")
        assert (await bot.fault()).device == "microphone"
        bot.forget_all()
        (folder / "signals.toml").unlink()
        await bot.settle()
        bot.nothing_more()


def test_the_report_shows_what_would_be_read_differently_and_what_should_be(tmp_path: Path) -> None:
    (tmp_path / "things.toml").write_text(
        '[without.device]\nmicrophone = ["话筒"]\n[device]\ncontrol = ["话筒"]\n', encoding="utf-8"
    )
    line = '{"text": "话筒不出声", "now": "2026-11-24T10:00:00+08:00", "intent": "consult"}\n'
    (tmp_path / "examples.jsonl").write_text(line, encoding="utf-8")
    told = list(report_lines(tmp_path))
    assert "条例句里有" in told[0]
    assert any("“话筒不出声”：报障" in line and "（应为咨询）" in line for line in told)
    assert any(
        "device=microphone" in line.split("→")[0] and "device=control" in line.split("→")[1] for line in told[1:-2]
    )
    assert "自己的例句里有 1 条没有读对" in told[-2]


def test_every_shipped_rule_and_intent_has_chinese_words() -> None:
    why = Words("why")
    rules = tomllib.loads((HERE / "rules.toml").read_text(encoding="utf-8"))["rule"]
    assert {rule["name"] for rule in rules} - set(why.get("rule")) == set()
    assert {rule["intent"] for rule in rules} - set(why.get("intent")) == set()


async def test_check_shows_the_words(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    assert words_line(settings).ok
    words_folder(settings).mkdir(parents=True)
    (words_folder(settings) / "thing.toml").write_text("", encoding="utf-8")
    line = words_line(settings)
    assert not line.ok
    assert "things.toml" in line.detail
