-- What operators may do to one saga, and to a letter: a saga can be paused, a letter skipped.
--
-- Both checks only grow wider, so no row has to be looked at: that would lock the tables for as long.
-- Letters first, as whoever judges one locks them; and nobody queues behind this for long.
SET LOCAL lock_timeout = '10s';
ALTER TABLE letters
    DROP CONSTRAINT letters_state_check,
    ADD CONSTRAINT letters_state_check
        CHECK (state IN ('open', 'replayed', 'skipped', 'discarded', 'expired')) NOT VALID;
ALTER TABLE sagas
    DROP CONSTRAINT sagas_state_check,
    ADD CONSTRAINT sagas_state_check
        CHECK (state IN ('queued', 'running', 'waiting', 'paused', 'parked', 'undoing', 'stuck', 'succeeded', 'undone')) NOT VALID;

-- What somebody noted about letters that failed alike.
CREATE TABLE letter_notes (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    note        TEXT NOT NULL,
    noted_by    TEXT NOT NULL,
    noted_at    TIMESTAMPTZ NOT NULL
);
