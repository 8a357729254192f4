-- What an account may prove itself with in the place of a password. The credential is what its key was found to be when it
-- was registered, as JSON, and stays; what changes with each use has columns of its own.
CREATE TABLE passkeys (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    credential_id BYTEA NOT NULL UNIQUE,
    credential TEXT NOT NULL,
    name TEXT NOT NULL,
    transports TEXT NOT NULL,
    sign_count BIGINT NOT NULL,
    backup_eligible BOOLEAN NOT NULL,
    backed_up BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);

CREATE INDEX passkeys_of_user ON passkeys (user_id, created_at);

-- Registrations and proofs that were begun. Whoever ends one says its id, which is all chance and known here by its hash
-- alone; one that has no account is for whoever proves to be anybody.
CREATE TABLE ceremonies (
    id BYTEA PRIMARY KEY,
    kind TEXT NOT NULL,
    user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- One of an epoch that is over is over: a store that was set back has forgotten that it was spent.
    epoch BIGINT NOT NULL
);

CREATE INDEX ceremonies_by_end ON ceremonies (expires_at);
CREATE INDEX ceremonies_of_user ON ceremonies (user_id);
