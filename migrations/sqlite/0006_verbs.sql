-- What operators may do to one saga, and to a letter: a saga can be paused, a letter skipped.
--
-- SQLite cannot alter a check, and making the tables anew would delete what refers to them. Where nothing
-- changes but a check, its manual has the text of the table changed; both only grow wider.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema
   SET sql = replace(sql, '(''queued'', ''running'', ''waiting'', ''parked'',', '(''queued'', ''running'', ''waiting'', ''paused'', ''parked'',')
 WHERE type = 'table' AND name = 'sagas';
UPDATE sqlite_schema
   SET sql = replace(sql, '(''open'', ''replayed'', ''discarded'',', '(''open'', ''replayed'', ''skipped'', ''discarded'',')
 WHERE type = 'table' AND name = 'letters';
PRAGMA writable_schema = RESET;

-- What somebody noted about letters that failed alike.
CREATE TABLE letter_notes (
    fingerprint TEXT NOT NULL PRIMARY KEY,
    note        TEXT NOT NULL,
    noted_by    TEXT NOT NULL,
    noted_at    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
