"""The story of a service that a removal breaks, and of its way back: deploy/demo --story restore."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.stage.company import EXECUTE, Company
from tests.stage.engine import DisposableEngine
from tests.stage.hosts import FilledHost
from tests.stage.job_host import INVOICES, SCHEDULER, job_host
from tests.stage.lives import await_health
from tests.stage.registry import Registry
from tests.workspace import Message
from tests.workspace.people import id_for

HOST, CHANNEL = "web-1", "ops"
CHECK, RESTORE_USED = "prune_check", "prune_restore_used"
# Long enough for three checks of the scheduler, which come every two seconds, on a machine at work.
POLICY = f'probe_registry = true\nsettle = "15s"\nshow_logs = 2\nping = ["{id_for("S", "docker-admins")}"]\n'
SECONDS = 120
OPENING = f"""{SCHEDULER} on {HOST} starts {INVOICES} once a month, with docker run --rm, and checks
  that it could. No container holds that image in between, and the policy of {HOST} does not protect it"""
BY_ITSELF = f"the docker command of {HOST} says:"


def company(folder: Path) -> Company:
    """One host; its policy protects no job, so the monthly one may go."""
    return Company(folder, {HOST: partial(job_host, name=HOST)}, channels=(CHANNEL,), policy=POLICY)


def play(company: Company) -> int:
    """Break the service, bring back what it used, judge by the engine's own docker command; the exit code."""
    engine = company.members[HOST].engine
    with Registry(engine, engine.folder / "registry"):
        story, before = _Story(company), _state(engine)
        story.say(OPENING)
        story.say(f"{BY_ITSELF} {before}")
        call = story.prune()
        broken = _state(engine)
        story.say(f"{BY_ITSELF} {broken}")
        story.check_again(call, f"Not well yet on {HOST}")
        story.bring_back(call)
        after = _state(engine)
        story.say(f"nobody has touched {SCHEDULER}, its own next check went well")
        story.say(f"{BY_ITSELF} {after}")
        story.check_again(call, "All is well again")
    return _judged(company, before, broken, after)


class _Story:
    """Plays people's parts, and prints each message when it is new and when it has changed."""

    def __init__(self, company: Company) -> None:
        self._company, self._slack = company, company.slack
        self._read: tuple[Message, ...] = ()

    def prune(self) -> Message:
        """A cleanup as on any other day; the message that calls people afterwards."""
        self.say(f"ana types /prune preview {HOST}")
        plan = self._company.ready(HOST)
        self._company.reply(plan, f"Plan of {HOST}")
        self.tell()
        self._press("bo", plan, EXECUTE)
        self._company.ended(plan, SECONDS)
        call = self._found(lambda m: m.broadcast and _has(m, RESTORE_USED), "a call with a way back")
        self._slack.wait_for(self._has_picture, SECONDS, what="the picture of the run")
        self.tell()
        return call

    def bring_back(self, call: Message) -> None:
        """What the service used comes back, as a plan that is confirmed; then its own check finds it."""
        known = {one.ts for one in self._all()}
        self._press("ana", call, RESTORE_USED)
        # Wherever it is asked: in the channel, or in the thread of the call.
        request = self._found(lambda m: m.ts not in known and _has(m, EXECUTE), "the plan of a restore")
        self.tell()
        since = int(time.time())
        self._press("bo", request, EXECUTE)
        self._found(lambda m: m.ts == request.ts and "Brought back" in m.first_line, "what came back")
        self._found(lambda m: m.ts not in known and "[file] Restore on" in m.plain, "the restore's report")
        self._await_health(since)
        self.tell()

    def check_again(self, call: Message, answer: str) -> None:
        """The host looks at the services of the call anew, and says so in its thread."""
        known = {one.ts for one in self._all()}
        self._press("ana", call, CHECK)
        self._found(lambda m: m.ts not in known and m.first_line.startswith(answer), "what the host finds")
        self.tell()

    def say(self, words: str) -> None:
        """A line between the messages."""
        print(f"— {words} —\n", flush=True)

    def tell(self) -> None:
        """Print what is new."""
        now = self._all()
        print(self._slack.transcript(CHANNEL, read=self._read), flush=True)
        self._read = now

    def _press(self, user: str, message: Message, action: str) -> None:
        control = next(one for one in message.controls if one.action_id == action)
        self.say(f"{user} presses [ {control.label} ]{' and confirms' if control.confirm else ''}")
        self._slack.click(user, message, control)

    def _await_health(self, since: int) -> None:
        await_health(self._company.members[HOST].engine.client, [SCHEDULER], since=since)

    def _found(self, wanted: Callable[[Message], bool], what: str) -> Message:
        found = self._slack.wait_for(lambda: next(filter(wanted, self._all()), None), SECONDS, what=what)
        assert found is not None
        return found

    def _all(self) -> tuple[Message, ...]:
        return self._slack.everything(CHANNEL)

    def _has_picture(self) -> bool:
        return any(file.is_image for file in self._slack.files(CHANNEL))


def _has(message: Message, action: str) -> bool:
    return any(control.action_id == action for control in message.controls)


@dataclass(frozen=True)
class _State:
    """How the service and its job's image are."""

    health: str
    image: str

    def __str__(self) -> str:
        return f"{SCHEDULER} is {self.health}, {INVOICES} is {self.image[:19] or 'not there'}"


def _state(engine: DisposableEngine) -> _State:
    health = engine.cli("container", "inspect", "--format", "{{.State.Health.Status}}", SCHEDULER)
    image = engine.cli("image", "ls", "--no-trunc", "--quiet", INVOICES)
    return _State(health.strip(), image.strip())


def _judged(company: Company, before: _State, broken: _State, after: _State) -> int:
    """Look at the engine, not at what the bot says of it, and at what the workspace objected to."""
    filled = company.members[HOST].filled
    wrong = [
        *(f"before the run {before}" for _ in range(before.health != "healthy" or not before.image)),
        *(f"after the run {broken}" for _ in range(broken != _State("unhealthy", ""))),
        *(f"after the restore {after}" for _ in range(after != before)),
        *_unlike(filled),
        *_of_the_job(filled.engine),
        *(f"the workspace objects: {violation}" for violation in company.slack.violations),
    ]
    for line in wrong:
        print(f"NOT AS IT SHOULD BE: {line}", file=sys.stderr)
    if not wrong:
        print(
            f"Checked on the engine itself: {SCHEDULER} is healthy, the image of its job is back under its id"
            f" and tag, docker run starts the job, the other {len(filled.waste) - 1} objects are removed,"
            f" all {len(filled.kept)} that should stay still there."
        )
    return 1 if wrong else 0


def _unlike(filled: FilledHost) -> Iterator[str]:
    """What of the host is neither as it was nor as the run should have left it; the one image is back."""
    yield from (f"{HOST} lost {what}" for what in filled.lost())
    yield from (f"{HOST} still holds {what}" for what in filled.left() if what != f"image {INVOICES}")


def _of_the_job(engine: DisposableEngine) -> Iterator[str]:
    """Start the job as the scheduler would."""
    try:
        engine.cli("run", "--rm", "--pull", "never", "--network", "none", INVOICES, "true")
    except subprocess.SubprocessError as error:
        yield f"the job does not start: {error}"
