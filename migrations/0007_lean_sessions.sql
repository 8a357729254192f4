-- Sessions that live and die with their token have no secret and need no entry: one write less for each sign-in of theirs.
-- The new index comes first: while PostgreSQL makes it, sessions are still read.
CREATE UNIQUE INDEX sessions_by_family ON sessions (secret_hash) WHERE secret_hash IS NOT NULL;
DROP INDEX sessions_by_secret;
