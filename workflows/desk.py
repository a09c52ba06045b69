"""The front desk: help, who is on duty, commands of operators, and questions back."""

from workflows.turn import Turn


async def command(turn: Turn) -> bool:
    """Placeholder until the desk lands."""
    return False


async def duty(turn: Turn) -> None:
    """Placeholder until the desk lands."""


async def help_(turn: Turn) -> None:
    """Placeholder until the desk lands."""


async def consult(turn: Turn) -> None:
    """Placeholder until the desk lands."""


async def ask_back(turn: Turn) -> None:
    """Placeholder until the desk lands."""
