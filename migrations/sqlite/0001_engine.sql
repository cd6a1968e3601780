-- The engine: sagas, their steps, what they wait for, what gave up, what was paid for.
--
-- Steps, events and effects name their saga without a foreign key: they are written only under the
-- saga's row lock, and the check would cost more than the insert.
CREATE TABLE sagas (
    id           BLOB        NOT NULL PRIMARY KEY,
    kind         TEXT        NOT NULL,
    state        TEXT        NOT NULL CHECK (state IN ('queued', 'running', 'waiting', 'parked', 'undoing', 'stuck', 'succeeded', 'undone')),
    ending       TEXT        CHECK (ending IN ('failed', 'canceled')),
    input        TEXT        NOT NULL,
    output       TEXT,
    error        TEXT,
    owner_id     BLOB,
    request_id   TEXT        NOT NULL,
    singleton    TEXT,
    phase        TEXT,
    seq          INTEGER      NOT NULL,
    inbox        INTEGER      NOT NULL CHECK (inbox >= 0),
    pivoted      INTEGER     NOT NULL,
    degraded     INTEGER     NOT NULL,
    letter_id    BLOB,
    replay_of    BLOB,
    parked_until TEXT,
    deadline_at  TEXT,
    wake_at      TEXT,
    created_at   TEXT NOT NULL,
    started_at   TEXT,
    updated_at   TEXT NOT NULL,
    finished_at  TEXT,
    CHECK ((finished_at IS NOT NULL) = (state IN ('succeeded', 'undone'))),
    CHECK (state <> 'succeeded' OR output IS NOT NULL),
    CHECK (state NOT IN ('undoing', 'stuck', 'undone') OR ending IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX sagas_wake ON sagas (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX sagas_owner ON sagas (owner_id, id) WHERE owner_id IS NOT NULL;
CREATE UNIQUE INDEX sagas_singleton ON sagas (kind, singleton) WHERE singleton IS NOT NULL AND finished_at IS NULL;
-- Few among many: what the audit reads.
CREATE INDEX sagas_live ON sagas (id) WHERE finished_at IS NULL;

CREATE TABLE steps (
    saga_id     BLOB        NOT NULL,
    key         TEXT        NOT NULL,
    position    INTEGER      NOT NULL,
    role        TEXT        NOT NULL CHECK (role IN ('work', 'undo', 'timer', 'listen')),
    step        TEXT        NOT NULL,
    queue       TEXT,
    state       TEXT        NOT NULL CHECK (state IN ('ready', 'leased', 'retrying', 'waiting', 'done', 'failed', 'cancelled')),
    input       TEXT        NOT NULL,
    output      TEXT,
    error       TEXT,
    turn        INTEGER      NOT NULL,
    epoch       INTEGER      NOT NULL,
    attempt     INTEGER      NOT NULL CHECK (attempt >= 0),
    crashes     INTEGER      NOT NULL CHECK (crashes >= 0),
    tickets     INTEGER      NOT NULL,
    worker      TEXT,
    letter_id   BLOB,
    settled     INTEGER,
    wake_at     TEXT,
    created_at  TEXT NOT NULL,
    started_at  TEXT,
    finished_at TEXT,
    PRIMARY KEY (saga_id, key),
    CHECK ((role IN ('work', 'undo')) = (queue IS NOT NULL)),
    CHECK ((state = 'leased') = (worker IS NOT NULL)),
    CHECK (state <> 'leased' OR epoch > 0),
    CHECK (state <> 'done' OR (output IS NOT NULL AND settled IS NOT NULL)),
    CHECK (state <> 'failed' OR (error IS NOT NULL AND settled IS NOT NULL)),
    CHECK (state NOT IN ('ready', 'leased', 'retrying') OR wake_at IS NOT NULL),
    CHECK (state NOT IN ('done', 'failed', 'cancelled') OR wake_at IS NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX steps_wake ON steps (wake_at) WHERE wake_at IS NOT NULL;

CREATE TABLE signals (
    id         BLOB        NOT NULL PRIMARY KEY,
    saga_id    BLOB        NOT NULL REFERENCES sagas (id) ON DELETE CASCADE,
    name       TEXT        NOT NULL,
    value      TEXT        NOT NULL,
    created_at TEXT NOT NULL,
    heard_by   TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX signals_unheard ON signals (saga_id, id) WHERE heard_by IS NULL;

CREATE TABLE letters (
    id          BLOB        NOT NULL PRIMARY KEY,
    saga_id     BLOB        REFERENCES sagas (id) ON DELETE CASCADE,
    step_key    TEXT,
    kind        TEXT        NOT NULL,
    step        TEXT        NOT NULL,
    queue       TEXT        NOT NULL,
    class       TEXT        NOT NULL,
    message     TEXT        NOT NULL,
    fingerprint TEXT        NOT NULL,
    attempts    INTEGER      NOT NULL,
    worker      TEXT,
    raw         BLOB,
    state       TEXT        NOT NULL CHECK (state IN ('open', 'replayed', 'discarded', 'expired')),
    created_at  TEXT NOT NULL,
    resolved_at TEXT,
    resolved_by TEXT,
    reason      TEXT,
    CHECK ((state = 'open') = (resolved_at IS NULL)),
    CHECK ((saga_id IS NULL) = (raw IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX letters_open ON letters (saga_id, step_key) WHERE state = 'open' AND saga_id IS NOT NULL;
CREATE INDEX letters_state ON letters (state, id);
CREATE INDEX letters_saga ON letters (saga_id);

-- A saga's history: what became true in one transaction is one row, a JSON array of events; `seq` is the
-- number of its last one.
CREATE TABLE events (
    saga_id BLOB        NOT NULL,
    seq     INTEGER      NOT NULL,
    at      TEXT NOT NULL,
    page    TEXT        NOT NULL,
    PRIMARY KEY (saga_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE effects (
    saga_id         BLOB        NOT NULL,
    step_key        TEXT        NOT NULL,
    name            TEXT        NOT NULL,
    round           INTEGER      NOT NULL,
    state           TEXT        NOT NULL CHECK (state IN ('dispatched', 'answered', 'spoiled')),
    idempotency_key TEXT        NOT NULL,
    provider        TEXT        NOT NULL,
    model           TEXT        NOT NULL,
    request_hash    TEXT        NOT NULL,
    calls           INTEGER      NOT NULL CHECK (calls > 0),
    answer          BLOB,
    dispatched_at   TEXT NOT NULL,
    answered_at     TEXT,
    PRIMARY KEY (saga_id, step_key, name, round),
    CHECK (state <> 'answered' OR answer IS NOT NULL)
) STRICT, WITHOUT ROWID;
