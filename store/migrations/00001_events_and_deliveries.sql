-- +goose Up
-- Times are milliseconds since 1970 (UTC), durations microseconds.

CREATE TABLE events (
    seq         INTEGER PRIMARY KEY,     -- in the order of arrival
    id          TEXT NOT NULL UNIQUE,    -- UUID of version 7
    digest      BLOB NOT NULL UNIQUE,    -- SHA-256 of the body: the same bytes are one event
    received_at INTEGER NOT NULL,
    name        TEXT NOT NULL,
    helper      TEXT NOT NULL,           -- its command
    entry_id    TEXT NOT NULL,
    duplicates  INTEGER NOT NULL DEFAULT 0,
    judgement   TEXT,                    -- JSON; null when no rule had anything to say
    body        BLOB NOT NULL            -- as received
) STRICT;

CREATE TABLE deliveries (
    seq         INTEGER PRIMARY KEY,
    event       INTEGER NOT NULL REFERENCES events (seq),
    n           INTEGER NOT NULL,        -- within its event, from 1
    rule        TEXT NOT NULL,
    action      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    message     TEXT NOT NULL,           -- JSON, frozen when the rule fired
    state       TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'delivered', 'dead', 'discarded')),
    generation  INTEGER NOT NULL,        -- of its newest lease
    lease_until INTEGER,                 -- while sending
    attempts    INTEGER NOT NULL DEFAULT 0,
    plan_from   INTEGER NOT NULL DEFAULT 0, -- attempts recorded before the retry plan began
    lost        INTEGER NOT NULL DEFAULT 0, -- leases in a row that ended without a result
    created_at  INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,        -- while pending: when it is due
    last_status TEXT NOT NULL DEFAULT '',
    last_error  TEXT NOT NULL DEFAULT '',
    UNIQUE (event, n),
    CHECK ((state = 'sending') = (lease_until IS NOT NULL))
) STRICT;

CREATE INDEX deliveries_due ON deliveries (action, next_at, seq) WHERE state = 'pending';
CREATE INDEX deliveries_pending ON deliveries (seq) WHERE state = 'pending';
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE state = 'sending';
CREATE INDEX deliveries_dead ON deliveries (seq) WHERE state = 'dead';

CREATE TABLE attempts (
    delivery INTEGER NOT NULL REFERENCES deliveries (seq),
    n        INTEGER NOT NULL,           -- from 1, through replays
    at       INTEGER NOT NULL,
    took     INTEGER NOT NULL,
    status   TEXT NOT NULL,
    error    TEXT NOT NULL,
    answer   TEXT NOT NULL,              -- of a refusal
    PRIMARY KEY (delivery, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE pauses (
    action TEXT PRIMARY KEY,             -- told to wait by its target
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE pauses;
DROP TABLE attempts;
DROP TABLE deliveries;
DROP TABLE events;
