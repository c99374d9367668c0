"""Asks registries, through the engine, whether they give an image back; never long, and few at a time."""

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from queue import SimpleQueue

from workers.engine import Engine
from workers.errors import AnswerLost, EngineError, NotFound
from workers.planning.restorable import Answer, Answers
from workers.references import ImageName

AT_ONCE = 4
ANSWER_SECONDS = 10
ALL_SECONDS = 60
OUT_OF_TIME = Answer(given=False, silence="the time for asking was over")


def ask(
    address: str, digests: Iterable[ImageName], *, each: int = ANSWER_SECONDS, together: float = ALL_SECONDS
) -> Answers:
    """Ask about each digest. What could not be asked in time is answered with silence.

    `each` is how many seconds one answer may take, `together` all of them.

    Raises:
        EngineError: the engine itself cannot be reached.
    """
    wanted = tuple(digests)
    with ExitStack() as stack:
        connections = range(min(AT_ONCE, len(wanted)))
        engines = [stack.enter_context(closing(Engine(address, timeout=each))) for _ in connections]
        inquiry = _Inquiry(engines, each)
        # Entered last: what is under way ends before its connection does.
        threads = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        asked = {digest: threads.submit(inquiry.answer, digest) for digest in wanted}
        wait(asked.values(), together)
        threads.shutdown(wait=False, cancel_futures=True)
        return {digest: _answered(future) for digest, future in asked.items()}


def _answered(future: Future[Answer]) -> Answer:
    return future.result() if future.done() and not future.cancelled() else OUT_OF_TIME


class _Inquiry:
    """One round of questions. A registry that let one of them time out is not asked again in it."""

    def __init__(self, engines: Iterable[Engine], seconds: int) -> None:
        self._seconds = seconds
        self._silent: dict[str, Answer] = {}
        # A connection serves one thread at a time.
        self._free: SimpleQueue[Engine] = SimpleQueue()
        for engine in engines:
            self._free.put(engine)

    def answer(self, digest: ImageName) -> Answer:
        """Ask the registry of a digest; called in threads."""
        engine = self._free.get()
        try:
            return self._silent.get(digest.registry) or self._ask(engine, digest)
        finally:
            self._free.put(engine)

    def _ask(self, engine: Engine, digest: ImageName) -> Answer:
        try:
            return Answer(given=engine.distribution(digest.full())["Descriptor"]["digest"] == digest.digest)
        except NotFound:
            return Answer(given=False)
        except AnswerLost:
            lost = Answer(given=False, silence=f"no answer in {self._seconds} s")
            return self._silent.setdefault(digest.registry, lost)
        except (EngineError, LookupError, TypeError, ValueError) as error:
            return Answer(given=False, silence=str(error))
