-- Finds the sagas that another one began.
CREATE INDEX sagas_parent ON sagas (parent_id) WHERE parent_id IS NOT NULL;
