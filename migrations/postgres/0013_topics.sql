-- Topics: ideas that members hand in, rounds that make discussions of them, and what is said there; and the
-- log of what happened, for whoever listens.
--
-- Checks of `media` change below: whoever cannot have the lock tries again, rather than have every call wait.
SET LOCAL lock_timeout = '10s';

-- A round is a saga of the same id. Where it failed or was cancelled is the saga's to tell while that is kept.
CREATE TABLE topic_rounds (
    id               UUID        NOT NULL PRIMARY KEY,
    pool             TEXT        NOT NULL CHECK (length(pool) BETWEEN 1 AND 80),
    state            TEXT        NOT NULL CHECK (state IN ('queued', 'claiming', 'embedding', 'clustering', 'in_review', 'drafting', 'finished', 'empty', 'failed', 'cancelled')),
    trigger          TEXT        NOT NULL CHECK (trigger IN ('api', 'cli', 'schedule')),
    require_review   BOOLEAN     NOT NULL,
    min_cluster_size BIGINT      NOT NULL CHECK (min_cluster_size >= 2),
    max_topics       BIGINT      NOT NULL CHECK (max_topics BETWEEN 1 AND 10),
    claimed          BIGINT      NOT NULL CHECK (claimed >= 0),
    clusters         BIGINT      NOT NULL CHECK (clusters >= 0),
    noise            BIGINT      NOT NULL CHECK (noise >= 0),
    published        BIGINT      NOT NULL CHECK (published >= 0),
    released         BIGINT      NOT NULL CHECK (released >= 0),
    note             TEXT,
    started_by       UUID        REFERENCES accounts (id) ON DELETE SET NULL,
    created_at       TIMESTAMPTZ NOT NULL,
    finished_at      TIMESTAMPTZ,
    CHECK ((finished_at IS NOT NULL) = (state IN ('finished', 'empty', 'failed', 'cancelled')))
);
CREATE INDEX topic_rounds_starter ON topic_rounds (started_by) WHERE started_by IS NOT NULL;

-- `label` numbers the clusters of a round from 0, largest first. Which ideas are in one, they tell themselves.
CREATE TABLE topic_clusters (
    id         UUID   NOT NULL PRIMARY KEY,
    round_id   UUID   NOT NULL REFERENCES topic_rounds (id) ON DELETE CASCADE,
    label      BIGINT NOT NULL CHECK (label >= 0),
    size       BIGINT NOT NULL CHECK (size >= 2),
    keywords   TEXT   NOT NULL,
    sample_ids TEXT   NOT NULL,
    decision   TEXT   NOT NULL CHECK (decision IN ('pending', 'keep', 'drop')),
    title_hint TEXT   CHECK (length(title_hint) BETWEEN 1 AND 200),
    UNIQUE (round_id, label)
);

-- What sagas made and people may look at, whatever it is; the row of its kind has the rest.
CREATE TABLE artefacts (
    id         UUID        NOT NULL PRIMARY KEY,
    kind       TEXT        NOT NULL CHECK (kind IN ('topic')),
    saga_id    UUID        NOT NULL,
    state      TEXT        NOT NULL CHECK (state IN ('draft', 'in_review', 'published', 'retracted', 'failed')),
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

-- One of a cluster at most.
CREATE TABLE topics (
    id             UUID        NOT NULL PRIMARY KEY,
    round_id       UUID        NOT NULL REFERENCES topic_rounds (id),
    cluster_id     UUID        NOT NULL UNIQUE REFERENCES topic_clusters (id),
    title          TEXT        NOT NULL CHECK (length(title) BETWEEN 10 AND 200 AND title LIKE '%?'),
    summary        TEXT        NOT NULL CHECK (length(summary) BETWEEN 1 AND 80),
    cover_media_id UUID        REFERENCES media (id) ON DELETE SET NULL,
    state          TEXT        NOT NULL CHECK (state IN ('published', 'retracted')),
    post_count     BIGINT      NOT NULL CHECK (post_count >= 0),
    ideas          BIGINT      NOT NULL CHECK (ideas >= 0),
    artefact_id    UUID        NOT NULL UNIQUE REFERENCES artefacts (id),
    published_at   TIMESTAMPTZ NOT NULL,
    retracted_at   TIMESTAMPTZ,
    CHECK ((state = 'retracted') = (retracted_at IS NOT NULL))
);
CREATE INDEX topics_newest ON topics (published_at, id);
CREATE INDEX topics_round ON topics (round_id);
CREATE INDEX topics_cover ON topics (cover_media_id) WHERE cover_media_id IS NOT NULL;

-- The pool of ideas: claimed by a round, then archived by the topic made of them, or live again.
CREATE TABLE submissions (
    id         UUID        NOT NULL PRIMARY KEY,
    pool       TEXT        NOT NULL CHECK (length(pool) BETWEEN 1 AND 80),
    author_id  UUID        NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    text       TEXT        NOT NULL CHECK (length(text) BETWEEN 1 AND 1000),
    state      TEXT        NOT NULL CHECK (state IN ('live', 'claimed', 'archived', 'withdrawn')),
    round_id   UUID        REFERENCES topic_rounds (id),
    cluster_id UUID        REFERENCES topic_clusters (id) ON DELETE SET NULL,
    topic_id   UUID        REFERENCES topics (id),
    seeded     BOOLEAN     NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    edited_at  TIMESTAMPTZ,
    CHECK ((state IN ('claimed', 'archived')) = (round_id IS NOT NULL)),
    CHECK (cluster_id IS NULL OR round_id IS NOT NULL),
    CHECK ((state = 'archived') = (topic_id IS NOT NULL))
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX submissions_live ON submissions (pool, author_id) WHERE state IN ('live', 'claimed') AND NOT seeded;
CREATE INDEX submissions_pool ON submissions (pool, id) WHERE state = 'live';
CREATE INDEX submissions_author ON submissions (author_id, id);
CREATE INDEX submissions_round ON submissions (round_id, id) WHERE round_id IS NOT NULL;
CREATE INDEX submissions_cluster ON submissions (cluster_id) WHERE cluster_id IS NOT NULL;
CREATE INDEX submissions_topic ON submissions (topic_id) WHERE topic_id IS NOT NULL;

-- The one post of a topic without an author opens it, and a model wrote it. What is deleted keeps its place,
-- and none of its words.
CREATE TABLE posts (
    id            BIGINT      NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic_id      UUID        NOT NULL REFERENCES topics (id) ON DELETE CASCADE,
    author_id     UUID        REFERENCES accounts (id) ON DELETE CASCADE,
    author_name   TEXT        NOT NULL,
    author_avatar TEXT,
    body          TEXT        NOT NULL CHECK (length(body) <= 4000),
    created_at    TIMESTAMPTZ NOT NULL,
    edited_at     TIMESTAMPTZ,
    deleted_at    TIMESTAMPTZ,
    CHECK ((deleted_at IS NOT NULL) = (body = ''))
);
CREATE UNIQUE INDEX posts_opening ON posts (topic_id) WHERE author_id IS NULL;
CREATE INDEX posts_topic ON posts (topic_id, id);
CREATE INDEX posts_author ON posts (author_id) WHERE author_id IS NOT NULL;

-- Vectors of texts by SHA-256: 32-bit floats, little-endian. A cache, of which the old leaves.
CREATE TABLE embeddings (
    text_hash BYTEA       NOT NULL CHECK (length(text_hash) = 32),
    model     TEXT        NOT NULL,
    vector    BYTEA       NOT NULL CHECK (length(vector) > 0),
    made_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (text_hash, model)
);
CREATE INDEX embeddings_age ON embeddings (made_at);

-- What happened, for streams: `events` are the histories of sagas. Numbers are handed out under the lock of
-- `domain_event_head`, so they are in the order of commits, and whoever has read up to one has missed none.
-- Whoever is named in a row goes with the account; values name nobody.
CREATE TABLE domain_events (
    id         BIGINT      NOT NULL PRIMARY KEY,
    at         TIMESTAMPTZ NOT NULL,
    name       TEXT        NOT NULL,
    entity     TEXT        NOT NULL,
    entity_id  UUID        NOT NULL,
    audience   TEXT        NOT NULL CHECK (audience IN ('owner', 'readers', 'curators')),
    owner_id   UUID        REFERENCES accounts (id) ON DELETE CASCADE,
    value      TEXT        NOT NULL,
    request_id TEXT,
    CHECK ((audience = 'owner') = (owner_id IS NOT NULL))
);
CREATE INDEX domain_events_at ON domain_events (at);
CREATE INDEX domain_events_entity ON domain_events (entity_id);
CREATE INDEX domain_events_owner ON domain_events (owner_id) WHERE owner_id IS NOT NULL;

CREATE TABLE domain_event_head (
    one  BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    last BIGINT NOT NULL CHECK (last >= 0)
) WITH (fillfactor = 10);
INSERT INTO domain_event_head (one, last) VALUES (1, 0);

-- Covers of topics are media, and nobody's.
ALTER TABLE media
    ALTER COLUMN owner_id DROP NOT NULL,
    DROP CONSTRAINT media_entity_check,
    ADD CONSTRAINT media_entity_check CHECK (entity = 'topic' OR (entity = 'persona' AND owner_id IS NOT NULL)) NOT VALID,
    DROP CONSTRAINT media_kind_check,
    ADD CONSTRAINT media_kind_check CHECK (kind IN ('portrait', 'card', 'cover')) NOT VALID;

INSERT INTO role_permissions (role, permission, own) VALUES
    ('member', 'submissions.read', TRUE),
    ('agent', 'submissions.read', TRUE),
    ('employee', 'submissions.read', TRUE),
    ('curator', 'submissions.read', TRUE),
    ('client', 'topics.read', FALSE),
    ('reviewer', 'topics.read', FALSE);
