"""The picture of a run's disk, for its thread, as soon as it is drawn."""

from dataclasses import dataclass

from bot import render
from bot.easel import Easel, Undrawn
from bot.memory.disks import Disks
from bot.render.picture import Picture
from bot.slack.threads import Attachment
from workers.contract import Report


@dataclass(frozen=True)
class Pictures:
    """Has the history of a host's disk drawn when its run is over."""

    disks: Disks
    easel: Easel

    def of(self, request_id: str, report: Report) -> Attachment | Undrawn:
        """The picture of a run, if it is drawn by now."""
        name = (request_id, report.host)
        drawn = self.easel.ask(name, lambda: self._described(report).figure)
        if isinstance(drawn, Undrawn):
            return drawn
        described = self._described(report)
        return Attachment(described.name, described.title, drawn, described.alt)

    def forget(self, request_id: str) -> None:
        """All pictures of a request are in its thread."""
        self.easel.forget(request_id)

    def _described(self, report: Report) -> Picture:
        """The days shown end with the run: what is measured meanwhile changes neither words nor picture."""
        return render.picture(report, self.disks.between(report.host, *render.days_shown(report)))
