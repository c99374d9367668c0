"""What all tiers share: the real parts of the stage, and how long a drawn example may take."""

from hypothesis import settings

pytest_plugins = ["tests.stage.fixtures"]

# How long an example takes is no property of the code; a machine at work would fail tests at random.
settings.register_profile("stage", deadline=None)
settings.load_profile("stage")
