-- Access: identities that were erased, and which accounts somebody gave their roles.
--
-- The table of accounts gets a column below: whoever cannot have the lock tries again, rather than have every call wait.
SET LOCAL lock_timeout = '10s';

-- By a keyed hash, until no token of then counts any more: a token that is still shown must not make the account anew.
CREATE TABLE erased_identities (
    identity_hash BYTEA       NOT NULL PRIMARY KEY,
    account_id    UUID        NOT NULL,
    until         TIMESTAMPTZ NOT NULL
);
CREATE INDEX erased_identities_account ON erased_identities (account_id);
CREATE INDEX erased_identities_age ON erased_identities (until);

-- An account that an older build made has no roles and FALSE here: it has those that everybody has.
ALTER TABLE accounts ADD COLUMN roles_decided BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE accounts SET roles_decided = TRUE
 WHERE EXISTS (SELECT 1 FROM audit WHERE target_id = accounts.id::text AND verb IN ('account.create', 'account.roles'));
