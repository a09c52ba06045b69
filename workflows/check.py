"""What ``bot.py check`` looks at besides the configuration itself: database, platforms, strangers to be registered."""

from sqlmodel import select

from intents import edition
from intents.overlay import WordsError
from storage.models import Sighting
from storage.ports import CheckLine
from storage.runtime import Runtime
from storage.settings import Settings
from workflows.phrases import full_clock
from workflows.vocabulary import words_folder
from workflows.words import Words

WORDS = Words("command_line")


async def check_lines(runtime: Runtime) -> list[CheckLine]:
    """One line per thing: the database (or this raises), each platform's own lines, unknown groups and senders."""
    async with runtime.ground.look() as work:
        seen = (await work.session.exec(select(Sighting).order_by(Sighting.platform, Sighting.account))).all()
        strangers = {
            kind: [
                WORDS(
                    "check_seen",
                    name=row.name or "?",
                    platform=row.platform,
                    account=row.account,
                    seen=full_clock(work, row.last_seen),
                )
                for row in seen
                if row.kind == kind
            ]
            for kind in ("group", "sender")
        }
    lines = [CheckLine(WORDS("check_database"), True, runtime.ground.database.url.get_backend_name())]
    lines.append(words_line(runtime.ground.settings))
    for adapter in runtime.adapters:
        lines.extend(await adapter.check())
    unbuilt = sorted(runtime.ground.settings.platforms - runtime.ground.platforms)
    lines.extend(CheckLine(name, False, WORDS("check_no_adapter", name=name)) for name in unbuilt)
    for kind, title in (("group", "check_groups"), ("sender", "check_senders")):
        lines.extend(CheckLine(WORDS(title), True, text) for text in strangers[kind])
    return lines


def words_line(settings: Settings) -> CheckLine:
    """Whether the operator's word files can be used."""
    folder = words_folder(settings)
    try:
        edition.load(folder)
    except WordsError as error:
        return CheckLine(WORDS("check_words"), False, str(error))
    return CheckLine(WORDS("check_words"), True, str(folder) if folder.is_dir() else "")
