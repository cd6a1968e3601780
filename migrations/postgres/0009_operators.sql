-- What operators decide about kinds of sagas: a switch, and limits. Small tables; a kind of which nobody has
-- decided anything has no row in any of them, and costs its claims nothing.

-- The last decision about each kind that was ever switched.
CREATE TABLE kind_switches (
    kind       TEXT        NOT NULL PRIMARY KEY,
    mode       TEXT        NOT NULL CHECK (mode IN ('enabled', 'paused', 'drain')),
    reason     TEXT        NOT NULL,
    decided_by TEXT        NOT NULL,
    decided_at TIMESTAMPTZ NOT NULL
);

-- How many steps of a kind run at once, and how many begin in a minute. Whoever claims a step of such a kind
-- holds its row; the next one may begin at `next_at`.
CREATE TABLE kind_limits (
    kind        TEXT        NOT NULL PRIMARY KEY,
    running_max BIGINT      CHECK (running_max > 0),
    per_minute  BIGINT      CHECK (per_minute > 0),
    next_at     TIMESTAMPTZ NOT NULL,
    reason      TEXT        NOT NULL,
    decided_by  TEXT        NOT NULL,
    decided_at  TIMESTAMPTZ NOT NULL,
    CHECK (running_max IS NOT NULL OR per_minute IS NOT NULL)
) WITH (fillfactor = 50);

-- The claims that count against a limit. One counts as long as its step is leased under this number, so that
-- nobody has to give it back.
CREATE TABLE kind_slots (
    saga_id  UUID   NOT NULL,
    step_key TEXT   NOT NULL,
    epoch    BIGINT NOT NULL,
    kind     TEXT   NOT NULL,
    PRIMARY KEY (saga_id, step_key)
);
CREATE INDEX kind_slots_kind ON kind_slots (kind);

-- Ready steps without a ticket, since their kind is switched off or at its limit: first come, first served.
CREATE TABLE kind_lines (
    saga_id  UUID        NOT NULL,
    step_key TEXT        NOT NULL,
    turn     BIGINT      NOT NULL,
    kind     TEXT        NOT NULL,
    since    TIMESTAMPTZ NOT NULL,
    begun    BOOLEAN     NOT NULL,
    PRIMARY KEY (saga_id, step_key)
);
CREATE INDEX kind_lines_kind ON kind_lines (kind, since);
CREATE INDEX kind_lines_begun ON kind_lines (kind, since) WHERE begun;

-- Which stored answer may be given again to whoever asks the same, for purposes that say so. The answer itself
-- stays where it is, so that it leaves with its saga.
CREATE TABLE answer_cache (
    provider     TEXT        NOT NULL,
    model        TEXT        NOT NULL,
    request_hash TEXT        NOT NULL,
    saga_id      UUID        NOT NULL,
    step_key     TEXT        NOT NULL,
    name         TEXT        NOT NULL,
    round        BIGINT      NOT NULL,
    at           TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (provider, model, request_hash)
);
CREATE INDEX answer_cache_at ON answer_cache (at);
-- Constant defaults: no row is touched, and nobody queues behind this for long.
SET LOCAL lock_timeout = '10s';
ALTER TABLE charges ADD COLUMN cache_hit BOOLEAN NOT NULL DEFAULT FALSE;

-- Whether its letters' sagas begin again from their inputs, as new ones.
ALTER TABLE replays ADD COLUMN from_start BOOLEAN NOT NULL DEFAULT FALSE;

-- When a chore was last done to its end.
ALTER TABLE chores ADD COLUMN done_at TIMESTAMPTZ;
