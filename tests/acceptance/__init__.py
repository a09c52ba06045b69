"""Both stories, as the outside lives through them: the whole bot, killed, restarted, cut off."""
