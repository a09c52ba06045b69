"""A fault is reported."""

from workflows.turn import Turn


async def report(turn: Turn) -> None:
    """Placeholder until the workflow lands."""
