"""Keeping within WeCom's limits before it has to refuse, or to drop a message without a word."""

from datetime import timedelta

from adapters.common.pace import Window

MINUTE, HOUR, DAY = timedelta(seconds=62), timedelta(seconds=3605), timedelta(days=1, seconds=5)
"""A little wider than the rule: the platform counts arrivals, not departures."""
MEMBER: tuple[Window, ...] = ((30, MINUTE), (1000, HOUR))
"""From an app to one member; what is over it vanishes silently there."""
APP_GROUP_MEMBER: tuple[Window, ...] = ((200, MINUTE), (10_000, DAY))
"""What one member gets from the app in all groups that it made; what is over it vanishes as silently."""
CONVERSATION: tuple[Window, ...] = ((30, MINUTE), (1000, HOUR))
"""Of the intelligent robot, replies and pushes together."""
GROUP_ROBOT: tuple[Window, ...] = ((20, MINUTE),)
UPLOADS: tuple[Window, ...] = ((30, MINUTE), (1000, HOUR))
