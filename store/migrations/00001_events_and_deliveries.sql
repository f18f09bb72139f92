-- +goose Up
-- Times are milliseconds since 1970 (UTC), durations microseconds.

CREATE TABLE events (
    seq         INTEGER PRIMARY KEY,     -- in the order of arrival
    id          TEXT NOT NULL UNIQUE,    -- UUID of version 7
    timestamp   INTEGER NOT NULL,        -- the one in the body; 0 when there is none
    digest      BLOB NOT NULL,           -- SHA-256 of the body
    received_at INTEGER NOT NULL,
    name        TEXT NOT NULL,
    helper      TEXT NOT NULL,           -- its command
    entry_id    TEXT NOT NULL,
    duplicates  INTEGER NOT NULL DEFAULT 0,
    generation  INTEGER NOT NULL,        -- of the rules that judged it, from 1
    own         INTEGER NOT NULL DEFAULT 0, -- 1: the router raised it itself
    judgement   TEXT,                    -- JSON; null when no rule had anything to say
    crc         INTEGER NOT NULL,        -- the sum of what stands before this, and own and duplicates
    body        BLOB NOT NULL            -- as received
) STRICT;

-- The same bytes are one event. They have one timestamp, too, and with that before it the index grows at its end: digests
-- alone would put each event's on another page.
CREATE UNIQUE INDEX events_bytes ON events (timestamp, digest);

CREATE TABLE replays (                   -- of events that were judged once more
    event     INTEGER NOT NULL REFERENCES events (seq),
    n         INTEGER NOT NULL,          -- of the event, from 1
    at        INTEGER NOT NULL,
    rules     TEXT NOT NULL,             -- where they were read
    digest    TEXT NOT NULL,             -- of what they said
    judgement TEXT NOT NULL,             -- JSON
    crc       INTEGER NOT NULL,          -- the sum of the row, as in all tables below
    PRIMARY KEY (event, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
    seq         INTEGER PRIMARY KEY,     -- that of the event, times 2^20, and n
    event       INTEGER GENERATED ALWAYS AS (seq >> 20) VIRTUAL,
    n           INTEGER GENERATED ALWAYS AS (seq & 1048575) VIRTUAL, -- within its event, from 1
    rule        TEXT NOT NULL,
    step        INTEGER NOT NULL,        -- within its rule, from 0
    action      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    message     TEXT NOT NULL,           -- JSON, frozen when the rule fired
    state       TEXT NOT NULL,
    entry       TEXT,                    -- that it follows: a newer version of it takes its place
    at          INTEGER,                 -- of a reminder: its due instant
    sync        TEXT CHECK (sync = 'upsert' OR sync = 'remove'), -- what it does to the row of the entry
    line        TEXT,                    -- of its action, in which one goes after the other: the value of order_by
    turn        INTEGER NOT NULL DEFAULT 0 CHECK (turn BETWEEN 0 AND 2), -- there: 0 it is next, 1 it waits, 2 it has not joined yet
    generation  INTEGER NOT NULL,        -- of its newest lease
    lease_until INTEGER,                 -- while sending
    attempts    INTEGER NOT NULL DEFAULT 0,
    plan_from   INTEGER NOT NULL DEFAULT 0, -- attempts recorded before the retry plan began
    lost        INTEGER NOT NULL DEFAULT 0, -- leases in a row that ended without a result
    created_at  INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,        -- while pending: when it is due
    last_status TEXT NOT NULL DEFAULT '',
    last_error  TEXT NOT NULL DEFAULT '',
    sent_at     INTEGER,                 -- of a delivered one: its last attempt, which has no row in attempts
    took        INTEGER,
    replay      INTEGER,                 -- of its event, that owes it; null for what was owed when the event came
    crc         INTEGER NOT NULL,        -- the sum of what is sent, and when
    told        INTEGER NOT NULL,        -- the sum of last_status, last_error, sent_at and took
    -- With IN, SQLite would make a table of the seven for each statement, and fill it.
    CHECK (state = 'pending' OR state = 'sending' OR state = 'delivered' OR state = 'dead' OR state = 'cancelled' OR
        state = 'discarded' OR state = 'shadow'),
    CHECK ((state = 'sending') = (lease_until IS NOT NULL))
) STRICT;

CREATE INDEX deliveries_due ON deliveries (action, next_at, seq) WHERE state = 'pending' AND turn <> 1;
CREATE INDEX deliveries_open ON deliveries (state, seq) WHERE state = 'pending' OR state = 'sending' OR state = 'dead';
CREATE INDEX deliveries_dead_by_action ON deliveries (action) WHERE state = 'dead';
CREATE INDEX deliveries_following ON deliveries (entry, rule, step) WHERE entry IS NOT NULL AND (state = 'pending' OR state = 'sending');
CREATE INDEX deliveries_reminded ON deliveries (entry, rule, step, at) WHERE entry IS NOT NULL AND at IS NOT NULL AND state = 'delivered';
CREATE INDEX deliveries_lines ON deliveries (action, line, state, turn, seq) WHERE line IS NOT NULL;

CREATE TABLE attempts (                  -- those that did not deliver
    delivery INTEGER NOT NULL REFERENCES deliveries (seq),
    n        INTEGER NOT NULL,           -- from 1, through replays
    at       INTEGER NOT NULL,
    took     INTEGER NOT NULL,
    status   TEXT NOT NULL,
    error    TEXT NOT NULL,
    answer   TEXT NOT NULL,              -- of a refusal
    crc      INTEGER NOT NULL,
    PRIMARY KEY (delivery, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE deaths (                    -- deliveries that died; what the router's own events owe is left out
    action TEXT PRIMARY KEY,
    died   INTEGER NOT NULL,             -- ever
    told   INTEGER NOT NULL DEFAULT 0,   -- of them, by the event router.dead_letter
    newest INTEGER NOT NULL,             -- delivery that died last; it may be gone
    crc    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (                    -- the newest of the router's own events of each name and action
    event  TEXT NOT NULL,                -- its name
    action TEXT NOT NULL,                -- empty when it is about none
    about  TEXT NOT NULL,                -- of a refused reload: which one
    at     INTEGER NOT NULL,
    crc    INTEGER NOT NULL,
    PRIMARY KEY (event, action)
) STRICT, WITHOUT ROWID;

CREATE TABLE holds (                     -- why actions are left alone
    action TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('breaker', 'paused', 'rate')),
    until  INTEGER NOT NULL,             -- the greatest number: until it is lifted
    crc    INTEGER NOT NULL,
    PRIMARY KEY (action, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    id      TEXT PRIMARY KEY,
    version TEXT NOT NULL,               -- the newest that is known; versions order as text
    deleted INTEGER NOT NULL,            -- 1: it is remembered, so that nothing older revives it
    event   INTEGER NOT NULL,            -- that brought this version
    crc     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE synced (                    -- the steps whose table may hold a row of the entry
    entry TEXT NOT NULL,
    rule  TEXT NOT NULL,
    step  INTEGER NOT NULL,
    crc   INTEGER NOT NULL,
    PRIMARY KEY (entry, rule, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE claims (                    -- the values for which rules have fired, and shall not again (once_per)
    rule       TEXT NOT NULL,
    value      TEXT NOT NULL,            -- typed and exact
    event      TEXT NOT NULL,            -- that holds the claim: its id, since claims outlive events
    suppressed INTEGER,                  -- the newest event that the claim kept from firing
    crc        INTEGER NOT NULL,
    PRIMARY KEY (rule, value)
) STRICT, WITHOUT ROWID;

CREATE INDEX claims_by_event ON claims (event, rule);

CREATE TABLE stats (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    definition TEXT NOT NULL,
    zone       TEXT NOT NULL,            -- of its days and months
    position   INTEGER NOT NULL,         -- in the rules
    current    INTEGER NOT NULL,         -- 0: replaced, and to be cleared away
    reached    TEXT,                     -- while it is made anew: the last entry that is in it; null when all are
    crc        INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX stats_current ON stats (name) WHERE current = 1;

CREATE TABLE contributions (             -- what each entry adds to each stat
    stat  INTEGER NOT NULL REFERENCES stats (id),
    entry TEXT NOT NULL,
    day   TEXT NOT NULL,                 -- 2026-11-23
    user  TEXT NOT NULL,                 -- empty when not known
    grp   TEXT NOT NULL,
    unit  TEXT NOT NULL,                 -- empty for a stat without units
    value TEXT NOT NULL,                 -- a decimal number; empty when it could not be read
    crc   INTEGER NOT NULL,
    PRIMARY KEY (stat, entry)
) STRICT, WITHOUT ROWID;

CREATE INDEX contributions_unreadable ON contributions (stat, entry, user) WHERE value = '';

CREATE TABLE totals (                    -- of the readable contributions; each counts in several. check adds them up, so that rows have no sums
    stat   INTEGER NOT NULL REFERENCES stats (id),
    user   TEXT NOT NULL,                -- empty: of everybody
    period TEXT NOT NULL,                -- a day, a month (2026-11), or empty: of all time
    unit   TEXT NOT NULL,
    grp    TEXT NOT NULL,                -- empty in the totals of a day
    count  INTEGER NOT NULL,
    sum    TEXT NOT NULL,                -- a decimal number
    PRIMARY KEY (stat, user, period, unit, grp)
) STRICT, WITHOUT ROWID;

CREATE TABLE kept_rules (                -- the newest rules that came into force, as their files were read
    n       INTEGER PRIMARY KEY,         -- in the order of reading, from 1
    name    TEXT NOT NULL,
    text    TEXT NOT NULL,               -- secrets stand in it as ${NAME}
    kept_at INTEGER NOT NULL,
    crc     INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE kept_rules;
DROP TABLE totals;
DROP TABLE contributions;
DROP TABLE stats;
DROP TABLE claims;
DROP TABLE synced;
DROP TABLE entries;
DROP TABLE holds;
DROP TABLE alerts;
DROP TABLE deaths;
DROP TABLE attempts;
DROP TABLE deliveries;
DROP TABLE replays;
DROP TABLE events;
