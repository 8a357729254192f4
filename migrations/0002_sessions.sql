-- How a session is carried ('token', 'refresh' or 'cookie'), and for the two that can be renewed: the hash of the
-- family's secret, of which nothing else is kept, and how often it was renewed.
ALTER TABLE sessions ADD COLUMN carried TEXT NOT NULL DEFAULT 'token';
ALTER TABLE sessions ADD COLUMN secret_hash BYTEA;
ALTER TABLE sessions ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
-- expires_at moves with each use, at most to ends_at.
ALTER TABLE sessions ADD COLUMN ends_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN last_seen_at BIGINT NOT NULL DEFAULT 0;
-- A session of an epoch that is over is over.
ALTER TABLE sessions ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
UPDATE sessions SET ends_at = expires_at, last_seen_at = created_at;

CREATE UNIQUE INDEX sessions_by_secret ON sessions (secret_hash);
-- With all that tells which sessions live, so that they are counted without a look at their rows.
DROP INDEX sessions_by_expiry;
CREATE INDEX sessions_by_expiry ON sessions (expires_at, epoch);

-- Sessions that were ended before their time, until the last token that tells of them has expired, each with the number of
-- the write that ended it; 0 within that write. No reference to sessions: the word outlives the row.
CREATE TABLE revocations (
    session_id TEXT PRIMARY KEY,
    number BIGINT NOT NULL DEFAULT 0,
    until BIGINT NOT NULL
);

CREATE INDEX revocations_by_number ON revocations (number, session_id);
CREATE INDEX revocations_by_end ON revocations (until);

-- One row: how many writes have revoked anything, ever; which epoch it is, of which a new one begins when this store is
-- found to have forgotten revocations, and when that was; and up to which moment they were forgotten for their age.
CREATE TABLE revocation_count (
    writes BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    restored_at BIGINT,
    purged_until BIGINT NOT NULL
);

INSERT INTO revocation_count (writes, epoch, purged_until) VALUES (0, 0, 0);
