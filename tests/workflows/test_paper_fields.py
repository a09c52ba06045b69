"""What is read in formal notices of many hands: the meeting's own time among others, its name, who takes part."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import papers
from workflows.paper_fields import read_fields
from workflows.paper_text import LONGEST, paper_text

NOW = datetime.fromisoformat("2026-11-24T15:10:00+08:00")

SPECIAL = """特急
江南省防汛抗旱指挥部办公室
水防电〔2026〕第5号  签发人：王建国
关 于 召 开 全 省 防 汛 抗 旱 视 频 会 商 会 的 通 知
各设区市防指办：
根据安排，定于11月26日（星期四）上午9:00—11:30召开全省防汛抗旱视频会商会，请做好准备。现将有关事项通知如下。
一、参会人员
（一）主会场：省防指成员单位负责同志。
（二）分会场：各设区市、县（市、区）防指成员单位负责同志。
二、其他事项
1.请各分会场于11月25日15:30参加视频联调，联调联系人：赵强，0571-87654321。
2.参会人员请于8:45前入场就座。
抄送：省政府办公厅。
2026年11月24日印发"""

PLAIN = """会议通知
时间：2026年11月26日14:30
地点：各单位视频会议室
会议名称：全省财政预算执行调度视频会
参会范围：各市、县财政局
请提前30分钟到位调试设备。
联系人：钱进  联系电话：0571－81234567"""

TWICE_TESTED = """关于召开全市安全生产工作视频会议的通知
各县（市、区）人民政府，市直各部门：
经市政府同意，决定召开全市安全生产工作视频会议。现就有关事项通知如下：
一、时间地点
会议时间：11月27日（星期五）下午3:00，会期半天。
主会场：市行政中心1号会议室。
各县（市、区）、乡镇（街道）设分会场。
二、调试安排
11月26日（星期四）下午3:00—4:00进行第一次调试；11月27日下午2:00进行第二次调试。
三、报名
请于11月26日上午12时前将参会名单报市应急局（联系人：周涛，电话：88886666）。"""

PROSE = """关于组织收听收看国务院全国防汛抗旱工作电视电话会议的通知
各市水利局：
国务院定于12月1日（周二）上午10点召开全国防汛抗旱工作电视电话会议。请各市、县设分会场收听收看，9点30分前完成信号调试，9点45分前入场。
联系人 孙磊 0571-85559999
江南省水利厅
二〇二六年十一月二十四日"""

QUOTING = """江南省政务服务管理局
关于召开“一网通办”工作推进视频会议的通知
各市政务服务局：
为贯彻落实《关于加快推进政务服务的通知》（国办发〔2025〕3号）精神，决定召开“一网通办”工作推进视频会议。
会议时间：2026年12月2日9:00
会议地点：江州市水利局分会场、临河县水利局三楼会议室、青石镇政府会议室
会议号：123456 密码：654321"""

LATER = """关于召开水库安全度汛视频会的预通知
各有关市、县水利局：
拟于12月上旬召开水库安全度汛视频会，具体时间另行通知。"""

POSTPONED = """关于推迟召开全省防汛视频会商会的通知
原定于11月25日上午9:30召开的全省防汛视频会商会推迟至11月26日上午9:30召开。"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            SPECIAL,
            {
                "name": "全省防汛抗旱视频会商会",
                "number": "水防电〔2026〕第5号",
                "start": "2026-11-26T09:00:00+08:00",
                "end": "2026-11-26T11:30:00+08:00",
                "tested_at": "2026-11-25T15:30:00+08:00",
                "others": [["sign_in", "2026-11-26T08:45:00+08:00"]],
                "scope": "一、参会人员\n（二）分会场：各设区市、县防指成员单位负责同志。",
                "contact": "赵强 0571-87654321",
            },
        ),
        (
            PLAIN,
            {
                "name": "全省财政预算执行调度视频会",
                "start": "2026-11-26T14:30:00+08:00",
                "arrive_before_minutes": 30,
                "contact": "钱进 0571－81234567",
                "tested_at": "",
            },
        ),
        (
            TWICE_TESTED,
            {
                "name": "全市安全生产工作视频会议",
                "start": "2026-11-27T15:00:00+08:00",
                "tested_at": "2026-11-26T15:00:00+08:00",
                "others": [["deadline", "2026-11-26T12:00:00+08:00"], ["joint_test", "2026-11-27T14:00:00+08:00"]],
                "scope": "各县、乡镇（街道）设分会场。",
                "contact": "周涛 88886666",
            },
        ),
        (
            PROSE,
            {
                "name": "国务院全国防汛抗旱工作电视电话会议",
                "start": "2026-12-01T10:00:00+08:00",
                "tested_at": "2026-12-01T09:30:00+08:00",
                "scope": "各市、县设分会场收听收看",
                "contact": "孙磊 0571-85559999",
            },
        ),
        (
            QUOTING,
            {"name": "“一网通办”工作推进视频会议", "number": "", "start": "2026-12-02T09:00:00+08:00"},
        ),
        (LATER, {"name": "水库安全度汛视频会", "start": "", "is_meeting": True}),
        (POSTPONED, {"changes": True}),
    ],
    ids=["special", "plain", "twice tested", "prose", "quoting", "later", "postponed"],
)
def test_notices_of_many_hands(text: str, expected: dict[str, Any]) -> None:
    fields = read_fields(paper_text(text.encode()).text, NOW).stored()
    assert {name: fields[name] for name in expected} == expected


def test_numbers_and_passwords_of_the_conference_are_not_taken() -> None:
    """They belong in no group."""
    kept = str(read_fields(paper_text(QUOTING.encode()).text, NOW).stored())
    assert "123456" not in kept
    assert "654321" not in kept


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_files_in_the_encodings_of_chinese_offices(encoding: str) -> None:
    assert paper_text(SPECIAL.encode(encoding)).text.startswith("特急\n江南省")


def test_a_line_that_the_page_cut_is_joined_and_a_title_of_two_lines_is_not_torn() -> None:
    text = paper_text(papers.as_pdf(papers.FLOOD.lines, width=24)).text
    assert "定于2026年11月25日（星期三）召开全省防汛视频会商会" in text
    assert read_fields(text, NOW).title == "江南省水利厅办公室关于召开全省防汛视频会商会的通知"


WHOLE = [papers.as_docx(papers.TABLED), papers.as_pdf(papers.FLOOD.lines), SPECIAL.encode("gb18030")]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(WHOLE), st.data())
def test_broken_files_are_read_or_refused_and_nothing_else(whole: bytes, data: st.DataObject) -> None:
    """Cut, overwritten or with something in between: a text or one of the known reasons, never an error."""
    cut = data.draw(st.integers(0, len(whole)))
    junk = data.draw(st.binary(max_size=40))
    skip = data.draw(st.integers(0, 200))
    found = paper_text(whole[:cut] + junk + whole[cut + skip :])
    assert found.problem in ("", "scanned", "old", "sealed", "broken", "large", "unknown")
    assert len(found.text) <= LONGEST
    read_fields(found.text, NOW)
