"""What all tiers share: the real parts of the stage."""

pytest_plugins = ["tests.stage.fixtures"]
