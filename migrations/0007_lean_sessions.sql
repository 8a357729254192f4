-- Sessions that live and die with their token have no secret and need no entry: one write less for each sign-in of theirs.
DROP INDEX sessions_by_secret;
CREATE UNIQUE INDEX sessions_by_secret ON sessions (secret_hash) WHERE secret_hash IS NOT NULL;
