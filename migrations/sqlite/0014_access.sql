-- Access: identities that were erased, and which accounts somebody gave their roles.

-- By a keyed hash, until no token of then counts any more: a token that is still shown must not make the account anew.
CREATE TABLE erased_identities (
    identity_hash BLOB NOT NULL PRIMARY KEY,
    account_id    BLOB NOT NULL,
    until         TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX erased_identities_account ON erased_identities (account_id);
CREATE INDEX erased_identities_age ON erased_identities (until);

-- An account that an older build made has no roles and FALSE here: it has those that everybody has.
ALTER TABLE accounts ADD COLUMN roles_decided INTEGER NOT NULL DEFAULT FALSE;
UPDATE accounts SET roles_decided = TRUE
 WHERE EXISTS (SELECT 1 FROM audit WHERE replace(target_id, '-', '') = lower(hex(accounts.id)) AND verb IN ('account.create', 'account.roles'));
