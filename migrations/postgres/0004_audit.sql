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

-- The search for sagas. `sagas` is a hot table, and each of these is one more entry whenever a saga is
-- accepted, first claimed and ended (measured on PostgreSQL 15, a saga written five times: 2.1 kB of WAL for
-- its row become 2.3 kB with one and 2.6 kB with both; 70 and 90 MB for a million). They pay: ids are not in
-- the order of time for all sagas, and without the second a request is looked for among everything.
CREATE INDEX sagas_created ON sagas (created_at, id);
CREATE INDEX sagas_request ON sagas (request_id);
