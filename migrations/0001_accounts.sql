-- Times are microseconds since the Unix epoch; ids are text made by the service; JSON is kept as text.

-- Facts about the store itself.
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value BYTEA NOT NULL
);

-- email is the address as it is written to; email_key is its one spelling, by which an account is found.
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    email_verified BOOLEAN NOT NULL,
    name TEXT,
    locale TEXT,
    roles TEXT NOT NULL,
    metadata TEXT NOT NULL,
    disabled_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    last_sign_in_at BIGINT
);

-- norm tells how a password was normalised before it was hashed: 'nfc' (ours) or 'raw' (another system's).
CREATE TABLE passwords (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    norm TEXT NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    auth_time BIGINT NOT NULL,
    amr TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    ip TEXT NOT NULL,
    agent TEXT
);

CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- A key signs from signs_from on and verifies until verifies_until (NULL while no newer key is known).
CREATE TABLE signing_keys (
    algorithm TEXT NOT NULL,
    generation BIGINT NOT NULL,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    verifies_until BIGINT,
    PRIMARY KEY (algorithm, generation)
);

-- Who did what, to whom, from where. No reference to users: a trail outlives the account.
CREATE TABLE audit (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    user_id TEXT,
    session_id TEXT,
    ip TEXT,
    agent TEXT,
    request_id TEXT
);

CREATE INDEX audit_of_user ON audit (user_id, at);
