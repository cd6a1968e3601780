-- Replays of many letters: a selection frozen at its start, worked off at a rate, one tried first.
CREATE TABLE replays (
    id                BLOB             NOT NULL PRIMARY KEY,
    state             TEXT             NOT NULL CHECK (state IN ('running', 'paused', 'stopping', 'stopped', 'done')),
    selection         TEXT             NOT NULL,
    reason            TEXT             NOT NULL,
    started_by        TEXT             NOT NULL,
    pause_micros      INTEGER          NOT NULL CHECK (pause_micros > 0),
    tried_first       INTEGER          NOT NULL CHECK (tried_first >= 0),
    failure_ratio_max REAL             NOT NULL CHECK (failure_ratio_max BETWEEN 0 AND 1),
    selected          INTEGER          NOT NULL,
    waiting           INTEGER          NOT NULL CHECK (waiting >= 0),
    running           INTEGER          NOT NULL CHECK (running >= 0),
    succeeded         INTEGER          NOT NULL,
    dead_again        INTEGER          NOT NULL,
    skipped           INTEGER          NOT NULL,
    ended_because     TEXT,
    -- When the next letter may be replayed, and when to look next.
    next_at           TEXT             NOT NULL,
    turn_at           TEXT       ,
    created_at        TEXT             NOT NULL,
    updated_at        TEXT             NOT NULL,
    finished_at       TEXT       ,
    CHECK ((finished_at IS NOT NULL) = (state IN ('stopped', 'done'))),
    CHECK (waiting + running + succeeded + dead_again + skipped = selected)
) STRICT, WITHOUT ROWID;
CREATE INDEX replays_turn ON replays (turn_at) WHERE turn_at IS NOT NULL;

CREATE TABLE replay_letters (
    replay_id   BLOB        NOT NULL REFERENCES replays (id) ON DELETE CASCADE,
    letter_id   BLOB        NOT NULL,
    saga_id     BLOB        NOT NULL,
    step_key    TEXT,
    position    INTEGER     NOT NULL,
    state       TEXT        NOT NULL CHECK (state IN ('waiting', 'running', 'succeeded', 'dead_again', 'skipped')),
    started_at  TEXT       ,
    finished_at TEXT       ,
    PRIMARY KEY (replay_id, letter_id)
) STRICT, WITHOUT ROWID;
-- A letter waits in one replay at a time.
CREATE UNIQUE INDEX replay_letters_open ON replay_letters (letter_id) WHERE state = 'waiting';
CREATE INDEX replay_letters_live ON replay_letters (replay_id, state, position) WHERE state IN ('waiting', 'running');
