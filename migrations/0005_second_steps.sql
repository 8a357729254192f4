-- Sign-ins whose password was right and that wait for a second factor, by the hash of what names them.
CREATE TABLE challenges (
    hash BYTEA PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    carried TEXT NOT NULL,
    tries_left BIGINT NOT NULL,
    until BIGINT NOT NULL
);

CREATE INDEX challenges_of_user ON challenges (user_id);
CREATE INDEX challenges_by_end ON challenges (until);

-- Devices on which an account asks for no second factor, each by a keyed hash of what tells it from others.
CREATE TABLE trusted_devices (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device BYTEA NOT NULL,
    ip TEXT NOT NULL,
    agent TEXT,
    created_at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    UNIQUE (user_id, device)
);

CREATE INDEX trusted_devices_by_end ON trusted_devices (until);
