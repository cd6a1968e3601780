-- Sagas that other sagas begin and wait for, reviews by people, and schedules.
ALTER TABLE sagas ADD COLUMN parent_id BLOB;
ALTER TABLE sagas ADD COLUMN parent_key TEXT;

-- The first of the family of a saga that another one began: its budget is the family's.
ALTER TABLE holds ADD COLUMN root_id BLOB;

-- As in 0006: the check only grows wider.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
   SET sql = replace(sql, '(''work'', ''undo'', ''timer'', ''listen'')', '(''work'', ''undo'', ''timer'', ''listen'', ''child'', ''review'')')
 WHERE type = 'table' AND name = 'steps';
PRAGMA writable_schema = RESET;

-- What a saga asked people to decide. It is a step of its saga, too, and is written under that saga's lock.
CREATE TABLE reviews (
    id           BLOB    NOT NULL PRIMARY KEY,
    saga_id      BLOB    NOT NULL REFERENCES sagas (id) ON DELETE CASCADE,
    step_key     TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    point        TEXT    NOT NULL,
    subject_kind TEXT    NOT NULL,
    subject_id   TEXT    NOT NULL,
    title        TEXT    NOT NULL,
    decider_id   BLOB,
    permission   TEXT    NOT NULL,
    requested_by BLOB,
    revision     INTEGER NOT NULL CHECK (revision BETWEEN 0 AND 3),
    rounds_left  INTEGER NOT NULL CHECK (rounds_left BETWEEN 0 AND 3),
    four_eyes    INTEGER NOT NULL,
    on_expiry    TEXT    NOT NULL CHECK (on_expiry IN ('approve', 'reject', 'fail')),
    state        TEXT    NOT NULL CHECK (state IN ('pending', 'approved', 'changes_requested', 'rejected', 'expired', 'closed')),
    notes        TEXT,
    decided_by   TEXT,
    decided_at   TEXT,
    expires_at   TEXT    NOT NULL,
    created_at   TEXT    NOT NULL,
    CHECK ((state = 'pending') = (decided_at IS NULL)),
    CHECK ((decided_by IS NOT NULL) = (state IN ('approved', 'changes_requested', 'rejected')))
) STRICT, WITHOUT ROWID;
CREATE INDEX reviews_inbox ON reviews (state, created_at, id);
CREATE INDEX reviews_saga ON reviews (saga_id);

-- Sagas that begin by the clock. `next_at` is the run that comes next; whoever begins it moves it on.
CREATE TABLE schedules (
    name         TEXT NOT NULL PRIMARY KEY,
    kind         TEXT NOT NULL,
    cron         TEXT NOT NULL,
    time_zone    TEXT NOT NULL,
    input        TEXT NOT NULL,
    next_at      TEXT,
    last_at      TEXT,
    last_saga_id BLOB,
    last_error   TEXT,
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX schedules_due ON schedules (next_at) WHERE next_at IS NOT NULL;
