"""The words in force: looked at before messages are handled, loaded anew when an operator has changed a word file."""

import asyncio
import zlib
from pathlib import Path

import structlog

from intents import edition
from intents.overlay import WordsError
from intents.understand import Understanding
from storage.messages import Outgoing, Urgency
from storage.outbox import post_person
from storage.settings import Settings
from storage.work import Ground
from workflows.words import Words

WORDS = Words("vocabulary")

log = structlog.get_logger(__name__)


def words_folder(settings: Settings) -> Path:
    """Where an operator puts word files and regression examples; need not exist."""
    return settings.data_path / "words"


class Vocabulary:
    """``understanding`` is the class to read with. A refused change leaves it as it was; operators hear of it once."""

    def __init__(self) -> None:
        self.understanding: type[Understanding] = Understanding
        self._seen = edition.stamp(None)

    async def look(self, ground: Ground) -> None:
        """Take up what has changed since the last look; loading happens in a thread, outside any transaction."""
        folder = words_folder(ground.settings)
        seen = edition.stamp(folder)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self.understanding = await asyncio.to_thread(edition.load, folder)
        except WordsError as error:
            log.warning("words refused", why=str(error))
            await self._tell(ground, str(error))
        else:
            log.info("words loaded", folder=str(folder))

    async def _tell(self, ground: Ground, why: str) -> None:
        """Administrators, once for each state of the files."""
        message = Outgoing(text=WORDS("refused", why=why), urgency=Urgency.FAULT)
        state = zlib.crc32(repr(self._seen).encode())
        async with ground.work() as work:
            work.audit("words.refused", why=why)
            for admin in work.org.with_role("admin"):
                await post_person(work, admin, message, key=f"words:{state:08x}")
