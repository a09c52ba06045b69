"""What ``bot.py check`` looks at besides the configuration itself: database, platforms, strangers to be registered."""

from collections.abc import Sequence

from sqlmodel import select

from intents import edition
from intents.overlay import WordsError
from storage.migrate import MigrationError, UnusableError, migrate
from storage.models import Sighting
from storage.ports import Adapter, CheckLine
from storage.settings import Settings
from storage.work import Ground
from workflows.footing import trouble
from workflows.phrases import full_clock
from workflows.vocabulary import words_folder
from workflows.words import Words

WORDS = Words("command_line")


async def check_lines(ground: Ground, adapters: Sequence[Adapter]) -> list[CheckLine]:
    """One line per thing: the database, the word files, each platform's own lines, unknown groups and senders."""
    lines = [await _database_line(ground), words_line(ground.settings)]
    for adapter in adapters:
        lines.extend(await adapter.check())
    return [*lines, *await _strangers(ground)] if lines[0].ok else lines


async def _database_line(ground: Ground) -> CheckLine:
    """Whether the database can be used, brought to this version first."""
    try:
        await migrate(ground.database)
    except (MigrationError, UnusableError) as error:
        return CheckLine(WORDS("check_database"), False, trouble(error))
    return CheckLine(WORDS("check_database"), True, ground.database.url.get_backend_name())


async def _strangers(ground: Ground) -> list[CheckLine]:
    async with ground.look() as work:
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
    titles = (("group", "check_groups"), ("sender", "check_senders"))
    return [CheckLine(WORDS(title), True, text) for kind, title in titles for text in strangers[kind]]


def words_line(settings: Settings) -> CheckLine:
    """Whether the operator's word files can be used."""
    folder = words_folder(settings)
    try:
        edition.load(folder)
    except WordsError as error:
        return CheckLine(WORDS("check_words"), False, str(error))
    return CheckLine(WORDS("check_words"), True, str(folder) if folder.is_dir() else "")
