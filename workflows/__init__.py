"""What the bot does. A workflow gets a Turn (or a due row) and changes state through its Work."""
