"""The tables of the bot's memory, version by version: what stands here never changes, more may follow."""

SCHEMA = """
CREATE TABLE hosts (
    name TEXT PRIMARY KEY,
    admitted_at TEXT NOT NULL
) STRICT;
CREATE TABLE contacts (
    host TEXT PRIMARY KEY,
    boot TEXT NOT NULL,
    beat_at TEXT NOT NULL,
    last_seen TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    trigger_id TEXT NOT NULL UNIQUE,
    verb TEXT NOT NULL,
    channel TEXT NOT NULL,
    team TEXT NOT NULL,
    user TEXT NOT NULL,
    hosts TEXT NOT NULL,
    kinds TEXT NOT NULL,
    made_at TEXT NOT NULL,
    response_url TEXT NOT NULL,
    is_open INTEGER NOT NULL DEFAULT 1,
    revision INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX open_requests ON requests (made_at) WHERE is_open;
CREATE TABLE settlements (
    request_id TEXT PRIMARY KEY REFERENCES requests (id),
    how TEXT NOT NULL,
    at TEXT NOT NULL,
    team TEXT NOT NULL,
    user TEXT NOT NULL,
    set_digest TEXT NOT NULL,
    plans TEXT NOT NULL,
    click TEXT NOT NULL
) STRICT;
CREATE TABLE sent (
    request_id TEXT NOT NULL REFERENCES requests (id),
    host TEXT NOT NULL,
    type TEXT NOT NULL,
    at TEXT NOT NULL,
    order_id TEXT NOT NULL,
    error TEXT NOT NULL,
    final INTEGER NOT NULL,
    certain INTEGER NOT NULL,
    PRIMARY KEY (request_id, host, type)
) STRICT;
CREATE TABLE overdue (
    request_id TEXT NOT NULL REFERENCES requests (id),
    host TEXT NOT NULL,
    PRIMARY KEY (request_id, host)
) STRICT;
CREATE TABLE ledgers (
    number INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    ledger TEXT NOT NULL,
    acknowledged INTEGER NOT NULL DEFAULT 0,
    UNIQUE (host, ledger)
) STRICT;
CREATE TABLE events (
    ledger INTEGER NOT NULL REFERENCES ledgers (number),
    seq INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    received_at TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (ledger, seq)
) STRICT;
CREATE INDEX events_of_request ON events (request_id);
CREATE TABLE reports (
    host TEXT NOT NULL,
    order_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    finished_at TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (host, order_id)
) STRICT;
CREATE INDEX reports_by_time ON reports (finished_at);
CREATE TABLE posts (
    request_id TEXT NOT NULL,
    part TEXT NOT NULL,
    channel TEXT NOT NULL,
    begun_at TEXT NOT NULL,
    ts TEXT NOT NULL DEFAULT '',
    shown TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (request_id, part)
) STRICT;
CREATE TABLE notes (
    id TEXT PRIMARY KEY,
    made_at TEXT NOT NULL,
    channel TEXT NOT NULL,
    response_url TEXT NOT NULL,
    message TEXT NOT NULL,
    is_public INTEGER NOT NULL,
    replaces INTEGER NOT NULL,
    is_open INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX open_notes ON notes (made_at) WHERE is_open;
"""
# REPLACE deletes without asking a trigger, so it is stopped before it begins.
SCHEMA_2 = """
CREATE TABLE acts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    request_id TEXT NOT NULL,
    host TEXT NOT NULL,
    order_id TEXT NOT NULL,
    plan_digest TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX acts_of_request ON acts (request_id);
CREATE TRIGGER acts_stay BEFORE UPDATE ON acts
    BEGIN SELECT RAISE(ABORT, 'acts are never changed'); END;
CREATE TRIGGER acts_remain BEFORE DELETE ON acts
    BEGIN SELECT RAISE(ABORT, 'acts are never removed'); END;
CREATE TRIGGER acts_are_added BEFORE INSERT ON acts
    WHEN EXISTS (SELECT 1 FROM acts WHERE number = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'acts are never replaced'); END;
CREATE TRIGGER events_stay BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER events_remain BEFORE DELETE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;
CREATE TRIGGER events_are_added BEFORE INSERT ON events
    WHEN EXISTS (SELECT 1 FROM events WHERE ledger = NEW.ledger AND seq = NEW.seq)
    BEGIN SELECT RAISE(IGNORE); END;
"""
SCHEMA_3 = """
CREATE TABLE decisions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    host TEXT NOT NULL,
    trigger_id TEXT NOT NULL,
    verb TEXT NOT NULL,
    about TEXT NOT NULL,
    decided_at TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'open',
    reasons TEXT NOT NULL DEFAULT '[]',
    sent_at TEXT NOT NULL DEFAULT '',
    told TEXT NOT NULL DEFAULT '',
    UNIQUE (id, host),
    UNIQUE (trigger_id, host, about)
) STRICT;
CREATE INDEX open_decisions ON decisions (decided_at) WHERE state = 'open' OR told != 'all';
CREATE INDEX decisions_about ON decisions (host, about, decided_at);
"""
SCHEMA_4 = """
CREATE TABLE ballots (
    request_id TEXT NOT NULL REFERENCES requests (id),
    team TEXT NOT NULL,
    user TEXT NOT NULL,
    set_digest TEXT NOT NULL,
    at TEXT NOT NULL,
    is_counted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (request_id, set_digest, team, user)
) STRICT;
CREATE TABLE lookups (
    about TEXT NOT NULL,
    id TEXT NOT NULL,
    at TEXT NOT NULL,
    team TEXT NOT NULL,
    is_guest INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    is_shared INTEGER NOT NULL,
    members TEXT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (about, id)
) STRICT;
CREATE TABLE waiting (
    id TEXT PRIMARY KEY,
    verb TEXT NOT NULL,
    body TEXT NOT NULL,
    at TEXT NOT NULL,
    is_open INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX open_waiting ON waiting (at) WHERE is_open;
"""
SCHEMA_5 = """
CREATE TABLE disks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT NOT NULL,
    order_id TEXT NOT NULL,
    moment TEXT NOT NULL,
    taken_at TEXT NOT NULL,
    received_at TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (host, taken_at, order_id, moment)
) STRICT;
CREATE INDEX disks_by_age ON disks (received_at);
CREATE INDEX disks_of_host ON disks (host, number);
"""
SCHEMA_6 = """
CREATE TABLE inquiries (
    id TEXT PRIMARY KEY,
    trigger_id TEXT NOT NULL UNIQUE,
    at TEXT NOT NULL,
    body TEXT NOT NULL,
    sent_at TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    given_up INTEGER NOT NULL DEFAULT 0,
    said TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX open_inquiries ON inquiries (at) WHERE said != 'all';
"""
SCHEMA_7 = """
CREATE TABLE choices (
    request_id TEXT NOT NULL REFERENCES requests (id),
    host TEXT NOT NULL,
    excluded TEXT NOT NULL,
    is_left_out INTEGER NOT NULL,
    PRIMARY KEY (request_id, host)
) STRICT;
ALTER TABLE settlements ADD COLUMN choices TEXT NOT NULL DEFAULT '[]';
CREATE INDEX posts_by_place ON posts (ts, channel);
"""
# What reports say in a line; those that are there already are read when the memory is opened.
SCHEMA_8 = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT NOT NULL,
    order_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    finished_at TEXT NOT NULL,
    status TEXT NOT NULL,
    removed INTEGER NOT NULL,
    freed INTEGER,
    ran INTEGER NOT NULL,
    running INTEGER NOT NULL,
    unchecked INTEGER NOT NULL,
    people TEXT NOT NULL,
    UNIQUE (host, order_id)
) STRICT;
CREATE INDEX runs_of_host ON runs (host, finished_at, number, removed, freed);
CREATE TABLE run_people (
    person TEXT NOT NULL,
    number INTEGER NOT NULL REFERENCES runs (number),
    PRIMARY KEY (person, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX people_of_run ON run_people (number);
ALTER TABLE lookups ADD COLUMN is_private INTEGER NOT NULL DEFAULT 1;
ALTER TABLE lookups ADD COLUMN names TEXT NOT NULL DEFAULT '[]';
ALTER TABLE lookups ADD COLUMN utc_offset INTEGER NOT NULL DEFAULT 0;
"""
# What is to come back of a run: empty where a request asks for no restore.
SCHEMA_9 = """
ALTER TABLE requests ADD COLUMN wanted TEXT NOT NULL DEFAULT '';
"""
# The message in whose thread a request, or an answer, stands; empty where it has no other's.
SCHEMA_10 = """
ALTER TABLE requests ADD COLUMN thread TEXT NOT NULL DEFAULT '';
ALTER TABLE notes ADD COLUMN thread TEXT NOT NULL DEFAULT '';
"""
# Of a restore: how many objects are back, of so many; runs have none of that.
SCHEMA_11 = """
ALTER TABLE runs ADD COLUMN back INTEGER;
ALTER TABLE runs ADD COLUMN wanted INTEGER NOT NULL DEFAULT 0;
DROP INDEX runs_of_host;
CREATE INDEX runs_of_host ON runs (host, finished_at, number, removed, freed, back);
"""
# Each entry brings a memory from the version of its place to the next; what stands here never changes.
SCHEMAS = (
    *(SCHEMA, SCHEMA_2, SCHEMA_3, SCHEMA_4, SCHEMA_5, SCHEMA_6, SCHEMA_7, SCHEMA_8, SCHEMA_9),
    *(SCHEMA_10, SCHEMA_11),
)
