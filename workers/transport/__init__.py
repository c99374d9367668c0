"""Between the host and the bot: jobs in, events out, a sign of life."""
