"""What can be done at the host itself, one command a module: each gets the options, and returns its end."""
