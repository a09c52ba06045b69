"""“收到”: which debt an acknowledgement meets, and what else it may mean."""

from workflows.turn import Turn


async def acknowledge(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def clicked(turn: Turn) -> None:
    """Placeholder until the workflow lands."""
