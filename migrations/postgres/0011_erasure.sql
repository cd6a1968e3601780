-- Erasure: accounts that are about to go, or are gone, and answers that are nobody's business any more.
--
-- A row stays when its account is gone: whoever still holds a token of it makes no new one.
-- An index is built below: whoever cannot have the lock tries again, rather than have every call wait.
SET LOCAL lock_timeout = '10s';

CREATE TABLE erasures (
    account_id UUID        NOT NULL PRIMARY KEY,
    saga_id    UUID        NOT NULL,
    asked_at   TIMESTAMPTZ NOT NULL,
    erased_at  TIMESTAMPTZ
);

-- Answers that are still kept, oldest first: those that were blanked are not looked at again.
CREATE INDEX effects_said ON effects (dispatched_at) WHERE answer <> '';
