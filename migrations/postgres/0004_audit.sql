-- What people decide: who, what, about which thing, when, and why. A row is written in the transaction of
-- the decision that it tells of, and never changed.
CREATE TABLE audit (
    id          UUID        NOT NULL PRIMARY KEY,
    at          TIMESTAMPTZ NOT NULL,
    actor       TEXT        NOT NULL,
    verb        TEXT        NOT NULL,
    target_kind TEXT        NOT NULL,
    target_id   TEXT        NOT NULL,
    reason      TEXT        NOT NULL,
    detail      TEXT        NOT NULL
);
CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_target ON audit (target_id, at, id);
