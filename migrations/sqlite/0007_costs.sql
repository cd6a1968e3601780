-- What answered calls of models took and cost, written with the answer. A table of its own: answers are
-- large, books are read often, and are kept when the saga is long forgotten. Money is in millionths of a
-- dollar; where nobody knows a cost there is none, which is not nothing.
CREATE TABLE charges (
    saga_id       BLOB        NOT NULL,
    step_key      TEXT        NOT NULL,
    name          TEXT        NOT NULL,
    round         INTEGER     NOT NULL,
    kind          TEXT        NOT NULL,
    owner_id      BLOB,
    purpose       TEXT        NOT NULL,
    provider      TEXT        NOT NULL,
    model         TEXT        NOT NULL,
    at            TEXT        NOT NULL,
    input_tokens  INTEGER     NOT NULL CHECK (input_tokens >= 0),
    output_tokens INTEGER     NOT NULL CHECK (output_tokens >= 0),
    images        INTEGER     NOT NULL CHECK (images >= 0),
    cost_micros   INTEGER     CHECK (cost_micros >= 0),
    PRIMARY KEY (saga_id, step_key, name, round)
) STRICT, WITHOUT ROWID;
CREATE INDEX charges_at ON charges (at);
