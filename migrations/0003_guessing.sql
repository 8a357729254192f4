-- Ids of accounts tell no order; what lists them has one.
CREATE INDEX users_by_age ON users (created_at, id);

-- Who has failed to prove a secret, how often in a row, and when last. A lane is a keyed hash of whose secret it is and of
-- who tries it: strangers together, or one device. No reference to users: addresses without an account have lanes too.
CREATE TABLE attempts (
    lane BYTEA PRIMARY KEY,
    failures BIGINT NOT NULL,
    failed_at BIGINT NOT NULL,
    -- From when on nothing is lost when the row is removed.
    forgotten_at BIGINT NOT NULL
);

CREATE INDEX attempts_by_end ON attempts (forgotten_at);

-- Proofs of work that were taken, until they would be refused for their age.
CREATE TABLE spent_proofs (
    proof BYTEA PRIMARY KEY,
    until BIGINT NOT NULL
);

CREATE INDEX spent_proofs_by_end ON spent_proofs (until);

-- How the stored passwords were hashed: the text that each such hash begins with, up to its salt. One that is missing costs
-- an even answer, one that is left over costs time; neither decides anything.
CREATE TABLE password_schemes (
    scheme TEXT PRIMARY KEY
);
