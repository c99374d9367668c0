"""The bot's edge towards Slack: the only modules that import its packages."""
