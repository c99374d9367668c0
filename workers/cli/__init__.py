"""What a person can do at the host itself."""
