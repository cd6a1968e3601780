-- Sagas that other sagas begin and wait for, reviews by people, and schedules.
--
-- The check only grows wider and the new columns are empty, so no row has to be looked at; and nobody queues
-- behind this for long. Steps before sagas: the sweeper takes them in this order.
SET LOCAL lock_timeout = '10s';
ALTER TABLE steps
    DROP CONSTRAINT steps_role_check,
    ADD CONSTRAINT steps_role_check
        CHECK (role IN ('work', 'undo', 'timer', 'listen', 'child', 'review')) NOT VALID;
ALTER TABLE sagas
    ADD COLUMN parent_id UUID,
    ADD COLUMN parent_key TEXT;

-- The first of the family of a saga that another one began: its budget is the family's.
ALTER TABLE holds
    ADD COLUMN root_id UUID;

-- What a saga asked people to decide. It is a step of its saga, too, and is written under that saga's lock.
CREATE TABLE reviews (
    id           UUID        NOT NULL PRIMARY KEY,
    saga_id      UUID        NOT NULL REFERENCES sagas (id) ON DELETE CASCADE,
    step_key     TEXT        NOT NULL,
    kind         TEXT        NOT NULL,
    point        TEXT        NOT NULL,
    subject_kind TEXT        NOT NULL,
    subject_id   TEXT        NOT NULL,
    title        TEXT        NOT NULL,
    decider_id   UUID,
    permission   TEXT        NOT NULL,
    requested_by UUID,
    revision     BIGINT      NOT NULL CHECK (revision BETWEEN 0 AND 3),
    rounds_left  BIGINT      NOT NULL CHECK (rounds_left BETWEEN 0 AND 3),
    four_eyes    BOOLEAN     NOT NULL,
    on_expiry    TEXT        NOT NULL CHECK (on_expiry IN ('approve', 'reject', 'fail')),
    state        TEXT        NOT NULL CHECK (state IN ('pending', 'approved', 'changes_requested', 'rejected', 'expired', 'closed')),
    notes        TEXT,
    decided_by   TEXT,
    decided_at   TIMESTAMPTZ,
    expires_at   TIMESTAMPTZ NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    CHECK ((state = 'pending') = (decided_at IS NULL)),
    CHECK ((decided_by IS NOT NULL) = (state IN ('approved', 'changes_requested', 'rejected')))
);
CREATE INDEX reviews_inbox ON reviews (state, created_at, id);
CREATE INDEX reviews_saga ON reviews (saga_id);

-- Sagas that begin by the clock. `next_at` is the run that comes next; whoever begins it moves it on.
CREATE TABLE schedules (
    name         TEXT        NOT NULL PRIMARY KEY,
    kind         TEXT        NOT NULL,
    cron         TEXT        NOT NULL,
    time_zone    TEXT        NOT NULL,
    input        TEXT        NOT NULL,
    next_at      TIMESTAMPTZ,
    last_at      TIMESTAMPTZ,
    last_saga_id UUID,
    last_error   TEXT,
    created_at   TIMESTAMPTZ NOT NULL,
    updated_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX schedules_due ON schedules (next_at) WHERE next_at IS NOT NULL;
