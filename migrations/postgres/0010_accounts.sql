-- Who may do what: roles and their permissions, how people sign in, the sessions that come of it, and keys of machines.
ALTER TABLE accounts ADD COLUMN disabled_at TIMESTAMPTZ;

CREATE TABLE roles (
    name  TEXT NOT NULL PRIMARY KEY,
    about TEXT NOT NULL
);

-- A permission is `resource.action`, `resource.*` or `*`; with `own` it reaches no row of another account.
CREATE TABLE role_permissions (
    role       TEXT    NOT NULL REFERENCES roles (name),
    permission TEXT    NOT NULL,
    own        BOOLEAN NOT NULL,
    PRIMARY KEY (role, permission)
);

CREATE TABLE account_roles (
    account_id UUID        NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    role       TEXT        NOT NULL REFERENCES roles (name),
    granted_by TEXT        NOT NULL,
    granted_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (account_id, role)
);

-- Who somebody is to an issuer. An address proves nothing: another issuer may know somebody else by it.
CREATE TABLE identities (
    issuer     TEXT        NOT NULL,
    subject    TEXT        NOT NULL,
    account_id UUID        NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    email      TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_account ON identities (account_id);

CREATE TABLE passwords (
    account_id UUID        NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    hash       TEXT        NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL
);

-- Attempts in a row that failed, by the hash of an address, whether or not there is an account of it.
CREATE TABLE sign_in_attempts (
    address_hash BYTEA       NOT NULL PRIMARY KEY,
    failures     BIGINT      NOT NULL CHECK (failures >= 0),
    last_at      TIMESTAMPTZ NOT NULL,
    locked_until TIMESTAMPTZ
);
CREATE INDEX sign_in_attempts_age ON sign_in_attempts (last_at);

-- A session is a family of refresh tokens, of which the last one counts. One that was opened from the command
-- line has roles of its own in place of its account's, and no refresh token.
CREATE TABLE sessions (
    id           UUID        NOT NULL PRIMARY KEY,
    account_id   UUID        NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    own_roles    BOOLEAN     NOT NULL,
    refresh_hash BYTEA       UNIQUE,
    ip_prefix    TEXT        NOT NULL,
    user_agent   TEXT        NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL,
    revoked_at   TIMESTAMPTZ
);
CREATE INDEX sessions_account ON sessions (account_id, id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE session_roles (
    session_id UUID NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    role       TEXT NOT NULL REFERENCES roles (name),
    PRIMARY KEY (session_id, role)
);

-- Refresh tokens that were used: whoever brings one again is not alone in having it.
CREATE TABLE spent_refreshes (
    refresh_hash BYTEA NOT NULL PRIMARY KEY,
    session_id   UUID  NOT NULL REFERENCES sessions (id) ON DELETE CASCADE
);
CREATE INDEX spent_refreshes_session ON spent_refreshes (session_id);

-- Keys of machines. A key may do what its scopes say and its account may, never more.
CREATE TABLE api_keys (
    id           UUID        NOT NULL PRIMARY KEY,
    account_id   UUID        NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name         TEXT        NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
    prefix       TEXT        NOT NULL UNIQUE,
    key_hash     BYTEA       NOT NULL,
    scopes       TEXT        NOT NULL CHECK (scopes <> ''),
    created_by   TEXT        NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ,
    revoked_at   TIMESTAMPTZ
);
CREATE INDEX api_keys_account ON api_keys (account_id);

INSERT INTO roles (name, about) VALUES
    ('member', 'everybody who signs up'),
    ('client', 'a contact who was invited'),
    ('agent', 'sells and lets property'),
    ('employee', 'works in the office'),
    ('curator', 'hosts topics'),
    ('reviewer', 'decides reviews'),
    ('operator', 'keeps it running, and sees nobody''s data'),
    ('admin', 'may do everything');

INSERT INTO role_permissions (role, permission, own) VALUES
    ('member', 'jobs.*', TRUE),
    ('member', 'surveys.read', TRUE),
    ('member', 'surveys.write', TRUE),
    ('member', 'personas.*', TRUE),
    ('member', 'submissions.write', TRUE),
    ('member', 'topics.read', FALSE),
    ('member', 'posts.write', TRUE),
    ('member', 'debates.*', TRUE),
    ('member', 'sources.*', TRUE),
    ('member', 'folders.*', TRUE),
    ('member', 'prompts.*', TRUE),
    ('member', 'media.read', TRUE),
    ('member', 'media.write', TRUE),
    ('member', 'usage.read', TRUE),
    ('client', 'interactions.read', TRUE),
    ('client', 'artefacts.read', FALSE),
    ('client', 'posts.write', TRUE),
    ('reviewer', 'reviews.decide', FALSE),
    ('operator', 'sagas.read', FALSE),
    ('operator', 'sagas.control', FALSE),
    ('operator', 'dead.replay', FALSE),
    ('operator', 'queues.read', FALSE),
    ('operator', 'queues.control', FALSE),
    ('operator', 'metrics.read', FALSE),
    ('operator', 'audit.read', FALSE),
    ('operator', 'costs.read', FALSE),
    ('operator', 'limits.read', FALSE),
    ('admin', '*', FALSE);

INSERT INTO role_permissions (role, permission, own) SELECT 'agent', permission, own FROM role_permissions WHERE role = 'member';
INSERT INTO role_permissions (role, permission, own) SELECT 'employee', permission, own FROM role_permissions WHERE role = 'member';
INSERT INTO role_permissions (role, permission, own) SELECT 'curator', permission, own FROM role_permissions WHERE role = 'member';
INSERT INTO role_permissions (role, permission, own) VALUES
    ('agent', 'properties.*', TRUE),
    ('agent', 'clients.*', TRUE),
    ('agent', 'tasks.*', TRUE),
    ('agent', 'appraisals.*', FALSE),
    ('agent', 'nurture.*', FALSE),
    ('agent', 'ai.generate', FALSE),
    ('agent', 'ai.analyze', FALSE),
    ('agent', 'reviews.request', FALSE),
    ('employee', 'properties.read', FALSE),
    ('employee', 'clients.read', FALSE),
    ('employee', 'tasks.*', TRUE),
    ('employee', 'assignments.read', FALSE),
    ('curator', 'rounds.start', FALSE),
    ('curator', 'rounds.review', FALSE),
    ('curator', 'topics.retract', FALSE),
    ('curator', 'submissions.seed', FALSE);

INSERT INTO account_roles (account_id, role, granted_by, granted_at) SELECT id, 'member', 'the migration', created_at FROM accounts;
