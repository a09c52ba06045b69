"""A meeting is drafted."""

from workflows.turn import Turn


async def draft(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def change(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def cancel(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def query(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def clicked(turn: Turn) -> None:
    """Placeholder until the workflow lands."""
