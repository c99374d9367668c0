"""What can go wrong on the stage: a test that meets one of these has found a broken stage, not a bug."""


class StageError(Exception):
    """the stage could not do what it was asked"""


class ForeignEngine(StageError):
    """an engine or a folder that the stage did not make; it is never touched"""


class NotReady(StageError):
    """a service started by the stage ended, or said nothing, before it was ready"""


class StageInUse(StageError):
    """another living process holds this stage folder"""


class UnknownFormat(StageError):
    """the engine keeps its metadata in another form than the one known here"""


class NotToBeHad(StageError):
    """a program of another Debian suite cannot be fetched here"""
