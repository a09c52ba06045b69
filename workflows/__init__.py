"""What the bot does. A workflow gets a :class:`~workflows.turn.Turn` (or a due row) and changes state through its Work."""
