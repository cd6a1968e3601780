-- Replays of many letters: a selection frozen at its start, worked off at a rate, one tried first.
CREATE TABLE replays (
    id                UUID             NOT NULL PRIMARY KEY,
    state             TEXT             NOT NULL CHECK (state IN ('running', 'paused', 'stopping', 'stopped', 'done')),
    selection         TEXT             NOT NULL,
    reason            TEXT             NOT NULL,
    started_by        TEXT             NOT NULL,
    pause_micros      BIGINT           NOT NULL CHECK (pause_micros > 0),
    tried_first       BIGINT           NOT NULL CHECK (tried_first >= 0),
    failure_ratio_max DOUBLE PRECISION NOT NULL CHECK (failure_ratio_max BETWEEN 0 AND 1),
    selected          BIGINT           NOT NULL,
    waiting           BIGINT           NOT NULL CHECK (waiting >= 0),
    running           BIGINT           NOT NULL CHECK (running >= 0),
    succeeded         BIGINT           NOT NULL,
    dead_again        BIGINT           NOT NULL,
    skipped           BIGINT           NOT NULL,
    ended_because     TEXT,
    -- When the next letter may be replayed, and when to look next.
    next_at           TIMESTAMPTZ      NOT NULL,
    turn_at           TIMESTAMPTZ,
    created_at        TIMESTAMPTZ      NOT NULL,
    updated_at        TIMESTAMPTZ      NOT NULL,
    finished_at       TIMESTAMPTZ,
    CHECK ((finished_at IS NOT NULL) = (state IN ('stopped', 'done'))),
    CHECK (waiting + running + succeeded + dead_again + skipped = selected)
);
CREATE INDEX replays_turn ON replays (turn_at) WHERE turn_at IS NOT NULL;

CREATE TABLE replay_letters (
    replay_id   UUID        NOT NULL REFERENCES replays (id) ON DELETE CASCADE,
    letter_id   UUID        NOT NULL,
    saga_id     UUID        NOT NULL,
    step_key    TEXT,
    position    BIGINT      NOT NULL,
    state       TEXT        NOT NULL CHECK (state IN ('waiting', 'running', 'succeeded', 'dead_again', 'skipped')),
    started_at  TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    PRIMARY KEY (replay_id, letter_id)
);
-- A letter waits in one replay at a time.
CREATE UNIQUE INDEX replay_letters_open ON replay_letters (letter_id) WHERE state = 'waiting';
CREATE INDEX replay_letters_live ON replay_letters (replay_id, state, position) WHERE state IN ('waiting', 'running');
