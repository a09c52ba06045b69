"""What a log line may hold: no full phone number, no secret of a URL, no stack trace on the terminal."""

import json
from pathlib import Path

import pytest
import structlog

from storage.logs import configure_logs, mask


def test_phones_and_secrets_are_masked() -> None:
    assert mask("电话13912345678，请回") == "电话139****5678，请回"
    assert mask("GET https://x/send?access_token=abc123&a=1") == "GET https://x/send?access_token=***&a=1"
    assert mask("GZ-20261124-001 15:20") == "GZ-20261124-001 15:20"


def test_the_trace_goes_to_the_file_and_not_to_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(tmp_path)
    log = structlog.get_logger("test")
    try:
        raise ValueError("call 13912345678")
    except ValueError:
        log.exception("it broke", phone="13912345678")
    shown = capsys.readouterr().err
    assert json.loads(shown)["phone"] == "139****5678"
    assert "Traceback" not in shown
    kept = (tmp_path / "huibao.log").read_text("utf-8")
    assert "Traceback" in kept
    assert "13912345678" not in kept
