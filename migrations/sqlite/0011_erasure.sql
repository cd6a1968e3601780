-- Erasure: accounts that are about to go, or are gone, and answers that are nobody's business any more.
--
-- A row stays when its account is gone: whoever still holds a token of it makes no new one.
CREATE TABLE erasures (
    account_id BLOB        NOT NULL PRIMARY KEY,
    saga_id    BLOB        NOT NULL,
    asked_at   TEXT        NOT NULL,
    erased_at  TEXT
) STRICT, WITHOUT ROWID;

-- Answers that are still kept, oldest first: those that were blanked are not looked at again.
CREATE INDEX effects_said ON effects (dispatched_at) WHERE answer <> X'';
