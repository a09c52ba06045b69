"""Arrival and checks."""

from workflows.turn import Turn


async def arrive(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def report(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def clicked(turn: Turn) -> None:
    """Placeholder until the workflow lands."""
