-- Retention: what is over leaves in batches, and one process at a time sees to it.
--
-- A chore is taken by whoever finds it free; it is free again by itself if that process dies.
CREATE TABLE chores (
    name    TEXT        NOT NULL PRIMARY KEY,
    free_at TIMESTAMPTZ NOT NULL
);

-- News go with their saga, and without this the database would look for them among all there are.
CREATE INDEX signals_saga ON signals (saga_id);
