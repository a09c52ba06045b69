"""A fault on its way."""

from workflows.turn import Turn


async def query(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def urge(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def update(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def resolve(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def confirm(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def reject(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def cancel(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def assist(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def assign(turn: Turn) -> None:
    """Placeholder until the workflow lands."""


async def clicked(turn: Turn) -> None:
    """Placeholder until the workflow lands."""
