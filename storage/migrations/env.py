"""Alembic's environment: runs on the connection that ``storage.migrate`` hands over, never on its own."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel
from sqlmodel.sql import sqltypes

import storage.console
import storage.fetches
import storage.learning
import storage.letters
import storage.models

__all__ = ["storage"]


def render_item(kind: str, item: object, _autogen: AutogenContext) -> str | Literal[False]:
    """Write SQLModel's types as the script template imports them; everything else as Alembic does."""
    ours = kind == "type" and type(item).__module__ == sqltypes.__name__
    return f"sqltypes.{item!r}" if ours else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,  # SQLite cannot alter a table otherwise
    compare_type=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
