-- Credentials. Secrets are stored as SHA-256 only; instants are milliseconds since 1970.
CREATE TABLE auth_orgs (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- `announced` is 0 while the log does not say yet what the row says.
CREATE TABLE auth_members (
    id TEXT PRIMARY KEY,
    org TEXT NOT NULL REFERENCES auth_orgs (id),
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    joined_at INTEGER NOT NULL,
    removed_at INTEGER,
    announced INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE auth_sessions (
    id TEXT PRIMARY KEY,
    member TEXT NOT NULL REFERENCES auth_members (id),
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;
CREATE INDEX auth_sessions_by_member ON auth_sessions (member);

CREATE TABLE auth_links (
    secret BLOB PRIMARY KEY,
    org TEXT NOT NULL REFERENCES auth_orgs (id),
    purpose TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    member TEXT REFERENCES auth_members (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;

CREATE TABLE auth_instances (
    id TEXT PRIMARY KEY,
    org TEXT NOT NULL REFERENCES auth_orgs (id),
    name TEXT NOT NULL,
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER,
    revoked_at INTEGER
) STRICT;

-- What ended, in order: a running hub reads what is new and closes the sockets.
CREATE TABLE auth_revocations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    credential TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE auth_settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
