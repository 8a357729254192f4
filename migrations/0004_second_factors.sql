-- The last step of time (RFC 6238) whose code an account took: it and all before it count no more, of whatever app.
ALTER TABLE users ADD COLUMN totp_step BIGINT NOT NULL DEFAULT 0;

-- The authenticator app of an account; it counts from confirmed_at on. The secret is sealed.
CREATE TABLE totp (
    user_id TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    sealed BYTEA NOT NULL,
    algorithm TEXT NOT NULL,
    digits BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    confirmed_at BIGINT
);

-- Ten codes an account, each in its slot, hashed as a password is.
CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    slot BIGINT NOT NULL,
    hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (user_id, slot)
);
