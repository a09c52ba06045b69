"""Sites by their names: full and short, misheard, shared by two counties, and words that only look like one."""

from __future__ import annotations

import pytest

from intents.reading import Context, Place
from intents.understand import Understanding
from tests.intents.conftest import said


def sites(understanding: Understanding, text: str, context: Context | None = None) -> object:
    return understanding.read(text, context or said()).slots.get("site")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("安吉县局没声音", ["安吉县水利局分会场"]),
        ("德清政务没声音", ["德清县政务中心分会场"]),
        ("灵西镇没声音", ["灵溪镇分会场"]),
        ("义乌市大陈镇没声音", ["义乌市大陈镇分会场"]),
        ("江山的大陈乡没声音", ["江山市大陈乡分会场"]),
        ("德清武康街道便民中心没声音", ["武康街道便民服务中心分会场"]),
        ("温州、湖州两市政务中心没图像", ["温州市政务中心分会场", "湖州市政务中心分会场"]),
        ("石塘镇没声音", ["温岭市石塘镇分会场", "云和县石塘镇分会场"]),
        ("诸暨店口牌头枫桥三个镇都没声音", ["店口镇分会场", "牌头镇分会场", "枫桥镇分会场"]),
        ("梅溪便民服务中心没声音", ["梅溪镇便民服务中心分会场"]),
        ("主会场没声音", None),
        ("石塘（温岭）没声音", ["温岭市石塘镇分会场"]),
        ("温州应急…哦不，温州政务没声音", ["温州市政务中心分会场"]),
        ("不是安吉，是德清没声音", ["德清县水利局分会场"]),
        ("岱山 高亭没声音", ["高亭镇分会场"]),
        ("仙居那边横溪镇没画面", ["仙居县横溪镇分会场"]),
        ("石塘镇，温岭的那个，没信号", ["温岭市石塘镇分会场"]),
        ("高桥的麦坏了", ["高桥街道分会场"]),
        ("温岭和云和的石塘都掉线了", ["温岭市石塘镇分会场", "云和县石塘镇分会场"]),
        ("我是江山的，大陈这边没声音", ["江山市大陈乡分会场"]),
        ("会场是岩头的，浦江那个，画面卡", ["浦江县岩头镇分会场"]),
        ("平水和店口同时掉线", ["平水镇分会场", "店口镇分会场"]),
        ("新市\n大屏没声音", ["新市镇分会场"]),
        ("白塔的根本没恢复，没声音", ["白塔镇分会场"]),
        ("横溪的没声音，鄞州那个横溪", ["鄞州区横溪镇分会场"]),
        ("省厅在讲话，我们这里没声音", None),
        ("没声音，麻烦把话筒送到高桥", ["高桥街道分会场"]),
        ("石塘 会正开到一半 停电了", ["温岭市石塘镇分会场", "云和县石塘镇分会场"]),
        ("安吉县教育局没声音", None),
        ("桐庐县应急局没声音", None),
        ("建德市水利局没声音", None),
        ("嵊州没声音", None),
    ],
)
def test_names_and_aliases(understanding: Understanding, text: str, names: object) -> None:
    assert sites(understanding, text) == names


def test_places_with_spaces_between_them_are_a_list(understanding: Understanding) -> None:
    spans = understanding.facts("分会场：舟山 岱山 高亭 衢山 东沙", said()).spans
    assert [spans.text[hit.start : hit.end] for hit in spans.places] == ["舟山", "岱山", "高亭", "衢山", "东沙"]


def test_a_region_named_again_is_the_office_named_before(understanding: Understanding) -> None:
    places = understanding.facts("临安应急、淳安应急：议程：临安、淳安依次汇报，永嘉列席", said()).spans.places
    assert [hit.sites for hit in places[2:4]] == [hit.sites for hit in places[:2]]
    assert len({hit.sites for hit in places}) == 3


def test_each_of_a_list_keeps_the_office_it_names(understanding: Understanding) -> None:
    assert sites(understanding, "义乌水利局和义乌应急局都没声音") == ["义乌市水利局分会场", "义乌市应急管理局分会场"]
    assert sites(understanding, "政务中心温州的，功放不出声") == ["温州市政务中心分会场"]
    assert sites(understanding, "分水：终端没声音") == ["分水镇分会场"]


def test_the_sender_decides_between_namesakes(understanding: Understanding) -> None:
    assert sites(understanding, "石塘镇没声音", said(own_sites=("云和县石塘镇分会场",))) == ["云和县石塘镇分会场"]
    assert sites(understanding, "石塘镇没声音", said(own_units=("温岭市水利局",))) == ["温岭市石塘镇分会场"]


@pytest.mark.parametrize(
    "text",
    [
        "过了大桥右转",
        "绍兴黄酒来一瓶",
        "枫桥夜泊",
        "小梅同学",
        "宁波汤圆",
        "江南的春天真美",
        "江山如此多娇",
        "我在长安街",
        "桥头堡酒吧不错",
        "和平与发展是主题",
        "高桥的单位分房了",
        "长安的羊肉泡馍不错",
    ],
)
def test_everyday_words_do_not_fire(understanding: Understanding, text: str) -> None:
    spans = understanding.facts(text, said()).spans
    assert spans.places == []


def test_short_names_are_derived_where_the_organisation_gives_none() -> None:
    place = Place("1", "临河县水利局三楼会议室", (), "临河县水利局", "county", None)
    assert sites(Understanding([place]), "临河县局没声音") == ["临河县水利局三楼会议室"]


def test_no_places_at_all_is_fine() -> None:
    assert Understanding([]).read("没声音了", said()).intent == "fault.report"
