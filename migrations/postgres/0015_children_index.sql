-- Finds the sagas that another one began.
--
-- By itself, so that whoever reads goes on meanwhile: 0012 keeps readers out until it is committed, and this looks
-- at the whole table. Not CONCURRENTLY: that waits for other programs which wait to migrate, and they for this.
SET LOCAL lock_timeout = '10s';
CREATE INDEX sagas_parent ON sagas (parent_id) WHERE parent_id IS NOT NULL;
