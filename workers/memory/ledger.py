"""The host's own memory: plans, orders, the journal of removals, and events not yet acknowledged.

Whatever Redis forgets or repeats, an order is consumed here once (S11). What the engine is asked for
is written here first (S15).
"""

import uuid
from pathlib import Path

from workers.memory import archives, restores, sightings, standing
from workers.memory.archives import Archives
from workers.memory.journal import Journal
from workers.memory.orders import Orders
from workers.memory.restores import Restores

# Without these nothing can be planned, executed or told.
NEEDED = ("plans", "orders", "journal", "outbox", "refusals")
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL) STRICT;
CREATE TABLE plans (
  digest TEXT PRIMARY KEY, made_at TEXT NOT NULL, expires_at TEXT NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE orders (
  id TEXT PRIMARY KEY, plan_digest TEXT NOT NULL UNIQUE REFERENCES plans (digest),
  consumed_at TEXT NOT NULL, body TEXT NOT NULL, report TEXT
) STRICT;
CREATE TABLE journal (
  order_id TEXT NOT NULL REFERENCES orders (id), step INTEGER NOT NULL, asked_at TEXT NOT NULL,
  body TEXT NOT NULL, way_back TEXT NOT NULL, outcome TEXT, PRIMARY KEY (order_id, step)
) STRICT;
CREATE TABLE refusals (at TEXT NOT NULL, order_id TEXT NOT NULL, reasons TEXT NOT NULL) STRICT;
"""
# Since schema 3: the signs of life before each run, with which a run that broke off is compared (S6).
BASELINES = """
CREATE TABLE baselines (order_id TEXT PRIMARY KEY REFERENCES orders (id), body TEXT NOT NULL) STRICT;
"""
# Since schema 4: whose order was turned away, where its seal held.
REFUSED_CLAIMS = "ALTER TABLE refusals ADD COLUMN claims TEXT NOT NULL DEFAULT '';"
# Each entry brings a ledger from the version of its place to the next; what stands here never changes.
SCHEMAS = (
    SCHEMA + sightings.SCHEMA,
    sightings.SCHEMA_2,
    BASELINES,
    REFUSED_CLAIMS,
    standing.SCHEMA,
    sightings.SCHEMA_6,
    restores.SCHEMA,
    archives.SCHEMA,
)


class Ledger(Orders, Journal, Restores, Archives):
    """One connection to the host's ledger; `id` names it, and the numbering of its events."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, SCHEMAS)

    def _open(self, path: Path) -> None:
        super()._open(path)
        self.id = str(self.rows("SELECT value FROM meta WHERE key = 'ledger'")[0][0])

    def _fill(self) -> None:
        self._db.execute("INSERT INTO meta VALUES ('ledger', ?)", (uuid.uuid4().hex,))

    def refuse_unusable(self) -> None:
        """Find out whether it can be read and could be written to, at the cost of a lock and no write.

        Raises:
            LedgerError: it could not.
        """
        self.refuse_unusable_tables(NEEDED)
