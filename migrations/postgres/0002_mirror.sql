-- The mirror: who asks, what friends answer, the character that comes of it and its pictures.
--
-- A forge that is queued, parked, failed or cancelled is the saga's to tell: `forges` names the latest
-- saga of an account, and `personas` holds drafts and finished personas only.
CREATE TABLE accounts (
    id           UUID        NOT NULL PRIMARY KEY,
    email        TEXT        NOT NULL UNIQUE CHECK (email = lower(email) AND email <> ''),
    display_name TEXT        NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL
);

CREATE TABLE surveys (
    id              UUID        NOT NULL PRIMARY KEY,
    owner_id        UUID        NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    slug            TEXT        NOT NULL UNIQUE CHECK (length(slug) = 10),
    title           TEXT        CHECK (length(title) BETWEEN 1 AND 120),
    question_set_id TEXT        NOT NULL,
    status          TEXT        NOT NULL CHECK (status IN ('collecting', 'ready', 'completed', 'archived')),
    min_responses   BIGINT      NOT NULL CHECK (min_responses BETWEEN 3 AND 50),
    response_count  BIGINT      NOT NULL CHECK (response_count >= 0),
    expires_at      TIMESTAMPTZ NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    CHECK (status NOT IN ('ready', 'completed') OR response_count >= min_responses)
);
CREATE INDEX surveys_owner ON surveys (owner_id, id);

-- `ordinal` numbers the responses of a survey in the order in which they were accepted: a forge takes
-- those up to one of them, and a repeated step takes the same ones.
CREATE TABLE survey_responses (
    id             UUID        NOT NULL PRIMARY KEY,
    survey_id      UUID        NOT NULL REFERENCES surveys (id) ON DELETE CASCADE,
    ordinal        BIGINT      NOT NULL CHECK (ordinal > 0),
    answers        TEXT        NOT NULL,
    responder_hash BYTEA       NOT NULL CHECK (length(responder_hash) = 32),
    submitted_at   TIMESTAMPTZ NOT NULL,
    UNIQUE (survey_id, responder_hash),
    UNIQUE (survey_id, ordinal)
);

CREATE TABLE forges (
    owner_id   UUID        NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    survey_id  UUID        NOT NULL REFERENCES surveys (id) ON DELETE CASCADE,
    saga_id    UUID        NOT NULL,
    started_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE media (
    id          UUID        NOT NULL PRIMARY KEY,
    owner_id    UUID        NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    entity      TEXT        NOT NULL CHECK (entity IN ('persona')),
    entity_id   UUID        NOT NULL,
    kind        TEXT        NOT NULL CHECK (kind IN ('portrait', 'card')),
    storage_key TEXT        NOT NULL UNIQUE,
    mime        TEXT        NOT NULL,
    bytes       BIGINT      NOT NULL CHECK (bytes > 0),
    width       BIGINT      NOT NULL CHECK (width > 0),
    height      BIGINT      NOT NULL CHECK (height > 0),
    variants    TEXT        NOT NULL,
    etag        TEXT        NOT NULL,
    provider    TEXT        NOT NULL,
    state       TEXT        NOT NULL CHECK (state IN ('original', 'ready')),
    created_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX media_entity ON media (entity_id);
CREATE INDEX media_owner ON media (owner_id, id);

CREATE TABLE personas (
    id                    UUID        NOT NULL PRIMARY KEY,
    owner_id              UUID        NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    survey_id             UUID        REFERENCES surveys (id),
    saga_id               UUID        NOT NULL,
    version               BIGINT      NOT NULL CHECK (version > 0),
    is_current            BOOLEAN     NOT NULL,
    status                TEXT        NOT NULL CHECK (status IN ('synthesizing', 'generating_image', 'ready')),
    mode                  TEXT        NOT NULL CHECK (mode IN ('fated', 'alchemic', 'practice')),
    responses             BIGINT      NOT NULL CHECK (responses > 0),
    charisma              BIGINT      NOT NULL CHECK (charisma BETWEEN 0 AND 100),
    intellect             BIGINT      NOT NULL CHECK (intellect BETWEEN 0 AND 100),
    kindness              BIGINT      NOT NULL CHECK (kindness BETWEEN 0 AND 100),
    energy                BIGINT      NOT NULL CHECK (energy BETWEEN 0 AND 100),
    archetype             TEXT        NOT NULL CHECK (archetype IN ('protector', 'sage', 'rebel', 'artist', 'caregiver', 'mystic', 'leader', 'trickster')),
    rarity                TEXT        NOT NULL CHECK (rarity IN ('common', 'rare', 'epic', 'legendary')),
    name                  TEXT,
    title                 TEXT,
    traits                TEXT,
    persona_prompt        TEXT,
    greeting              TEXT,
    provider              TEXT,
    illustration_media_id UUID        REFERENCES media (id) ON DELETE SET NULL,
    card_media_id         UUID        REFERENCES media (id) ON DELETE SET NULL,
    bond_level            BIGINT      NOT NULL CHECK (bond_level >= 0),
    visibility            TEXT        NOT NULL CHECK (visibility IN ('private', 'public')),
    slug                  TEXT        UNIQUE,
    degraded              BOOLEAN     NOT NULL,
    created_at            TIMESTAMPTZ NOT NULL,
    updated_at            TIMESTAMPTZ NOT NULL,
    UNIQUE (owner_id, version),
    CHECK (mode = 'practice' OR survey_id IS NOT NULL),
    CHECK (NOT is_current OR status = 'ready'),
    CHECK (status = 'synthesizing' OR (name IS NOT NULL AND title IS NOT NULL AND traits IS NOT NULL
           AND persona_prompt IS NOT NULL AND greeting IS NOT NULL AND provider IS NOT NULL)),
    CHECK (visibility = 'private' OR slug IS NOT NULL)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX personas_current ON personas (owner_id) WHERE is_current;
CREATE UNIQUE INDEX personas_draft ON personas (owner_id) WHERE status <> 'ready';
CREATE INDEX personas_survey ON personas (survey_id);
CREATE INDEX personas_illustration ON personas (illustration_media_id) WHERE illustration_media_id IS NOT NULL;
CREATE INDEX personas_card ON personas (card_media_id) WHERE card_media_id IS NOT NULL;

-- What a command answered under an `Idempotency-Key`. The status is set in the command's own
-- transaction, so a key without one belongs to a command that is still under way elsewhere.
CREATE TABLE idempotency_keys (
    scope      TEXT        NOT NULL,
    key        TEXT        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    body_hash  TEXT        NOT NULL,
    status     BIGINT      CHECK (status BETWEEN 100 AND 599),
    response   TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (scope, key),
    CHECK ((status IS NULL) = (response IS NULL))
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

-- What the demo sagas leave behind, for the benchmark and for operators. Nothing keeps a second row
-- out: counting rows is how exactly-once is shown.
CREATE TABLE demo_effects (
    saga_id  UUID        NOT NULL,
    step_key TEXT        NOT NULL,
    at       TIMESTAMPTZ NOT NULL
);
