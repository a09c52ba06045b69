"""WeCom (企业微信): the self-built app, the intelligent robot, groups that the app made, and group robots."""
