-- What answered calls of models took and cost, written with the answer. A table of its own: answers are
-- large, books are read often, and are kept when the saga is long forgotten. Money is in millionths of a
-- dollar; where nobody knows a cost there is none, which is not nothing.
CREATE TABLE charges (
    saga_id       UUID        NOT NULL,
    step_key      TEXT        NOT NULL,
    name          TEXT        NOT NULL,
    round         BIGINT      NOT NULL,
    kind          TEXT        NOT NULL,
    owner_id      UUID,
    purpose       TEXT        NOT NULL,
    provider      TEXT        NOT NULL,
    model         TEXT        NOT NULL,
    at            TIMESTAMPTZ NOT NULL,
    input_tokens  BIGINT      NOT NULL CHECK (input_tokens >= 0),
    output_tokens BIGINT      NOT NULL CHECK (output_tokens >= 0),
    images        BIGINT      NOT NULL CHECK (images >= 0),
    cost_micros   BIGINT      CHECK (cost_micros >= 0),
    PRIMARY KEY (saga_id, step_key, name, round)
);
CREATE INDEX charges_at ON charges (at);

-- What is spent of each budget, and what is set aside for calls under way. A saga's budget has no day, that
-- of everybody no subject.
CREATE TABLE budgets (
    scope        TEXT        NOT NULL CHECK (scope IN ('saga', 'account', 'all')),
    day          TEXT        NOT NULL,
    subject      TEXT        NOT NULL,
    spent_micros BIGINT      NOT NULL CHECK (spent_micros >= 0),
    held_micros  BIGINT      NOT NULL CHECK (held_micros >= 0),
    PRIMARY KEY (scope, day, subject)
) WITH (fillfactor = 50);

-- What is set aside for one call, under the claim that makes it; gone once its answer is stored.
CREATE TABLE holds (
    saga_id  UUID        NOT NULL,
    step_key TEXT        NOT NULL,
    name     TEXT        NOT NULL,
    round    BIGINT      NOT NULL,
    epoch    BIGINT      NOT NULL,
    owner_id UUID,
    day      TEXT        NOT NULL,
    micros   BIGINT      NOT NULL CHECK (micros >= 0),
    at       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (saga_id, step_key, name, round)
);
CREATE INDEX holds_at ON holds (at);

-- Caps that somebody set by hand; they come before those of the settings.
CREATE TABLE caps (
    scope      TEXT        NOT NULL PRIMARY KEY CHECK (scope IN ('saga', 'account', 'all')),
    micros     BIGINT      NOT NULL CHECK (micros >= 0),
    decided_by TEXT        NOT NULL,
    decided_at TIMESTAMPTZ NOT NULL,
    reason     TEXT        NOT NULL
);

-- Who may be called: failures in a row, and until when nobody calls, for them or because the provider asked
-- for patience. Every call reads its model's row.
CREATE TABLE provider_gates (
    provider       TEXT        NOT NULL,
    model          TEXT        NOT NULL,
    failures       BIGINT      NOT NULL CHECK (failures >= 0),
    successes      BIGINT      NOT NULL CHECK (successes >= 0),
    opened         BOOLEAN     NOT NULL,
    trying         BOOLEAN     NOT NULL,
    closed_until   TIMESTAMPTZ NOT NULL,
    patience_until TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (provider, model)
) WITH (fillfactor = 50);

-- The ledger is read by time.
CREATE INDEX effects_dispatched ON effects (dispatched_at, idempotency_key);
