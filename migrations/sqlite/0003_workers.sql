-- The fleet: which workers there are, as their heartbeats tell it, and which queues are switched off.
--
-- Small tables that no step waits for. A worker's row is written every few seconds; what it did lately
-- stands in `pools`, so that the hot table of steps needs no index for it.
CREATE TABLE workers (
    id         TEXT        NOT NULL PRIMARY KEY,
    host       TEXT        NOT NULL,
    version    TEXT        NOT NULL,
    pools      TEXT        NOT NULL,
    draining   INTEGER     NOT NULL,
    drain_by   TEXT,
    drain_at   TEXT,
    started_at TEXT NOT NULL,
    seen_at    TEXT NOT NULL,
    CHECK ((drain_by IS NULL) = (drain_at IS NULL))
) STRICT, WITHOUT ROWID;

-- The last decision about each queue that was ever paused.
CREATE TABLE queue_switches (
    queue      TEXT        NOT NULL PRIMARY KEY,
    paused     INTEGER     NOT NULL,
    reason     TEXT        NOT NULL,
    decided_by TEXT        NOT NULL,
    decided_at TEXT        NOT NULL
) STRICT, WITHOUT ROWID;
