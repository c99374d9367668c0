"""What the bot remembers, in one SQLite file: requests, hosts, events, reports, messages, answers."""
