"""The audit: the bot's copy of what happened, compared with each host's own, and both as files."""
