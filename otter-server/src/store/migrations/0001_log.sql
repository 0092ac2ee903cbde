CREATE TABLE orgs (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    epoch TEXT NOT NULL,
    head INTEGER NOT NULL
);

CREATE TABLE epochs (
    id INTEGER PRIMARY KEY,
    org INTEGER NOT NULL REFERENCES orgs (id),
    epoch TEXT NOT NULL,
    first INTEGER NOT NULL,
    UNIQUE (org, epoch)
);

CREATE TABLE scopes (
    id INTEGER PRIMARY KEY,
    org INTEGER NOT NULL REFERENCES orgs (id),
    scope TEXT NOT NULL,
    head INTEGER NOT NULL DEFAULT 0,
    hash INTEGER NOT NULL DEFAULT 0,
    floor INTEGER NOT NULL DEFAULT 0,
    messages INTEGER NOT NULL DEFAULT 0,
    UNIQUE (org, scope)
);

-- Appended by rowid, which keeps inserts cheap; the index serves every read of a scope.
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    org INTEGER NOT NULL,
    scope INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    text TEXT NOT NULL
);
CREATE UNIQUE INDEX events_scope ON events (scope, seq);

CREATE TABLE entities (
    id INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL REFERENCES scopes (id),
    key TEXT NOT NULL,
    type TEXT NOT NULL,
    rev INTEGER NOT NULL,
    live INTEGER NOT NULL,
    open INTEGER NOT NULL,
    ord TEXT NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (scope, key)
);
CREATE INDEX entities_live ON entities (scope, key) WHERE live = 1;
CREATE INDEX entities_window ON entities (scope, type, open, ord, key) WHERE live = 1;

CREATE TABLE windows (
    scope INTEGER NOT NULL REFERENCES scopes (id),
    type TEXT NOT NULL,
    open INTEGER NOT NULL,
    row_count INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (scope, type, open)
) WITHOUT ROWID;

CREATE TABLE removed (
    scope INTEGER NOT NULL REFERENCES scopes (id),
    key TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) WITHOUT ROWID;
CREATE INDEX removed_at ON removed (at);

CREATE TABLE full_texts (
    id INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL REFERENCES scopes (id),
    key TEXT NOT NULL,
    rev INTEGER NOT NULL,
    text TEXT NOT NULL,
    UNIQUE (scope, key)
);

CREATE TABLE lanes (
    org INTEGER NOT NULL REFERENCES orgs (id),
    instance TEXT NOT NULL,
    lane TEXT NOT NULL,
    producer_epoch INTEGER NOT NULL,
    up_to INTEGER NOT NULL,
    last_id TEXT,
    PRIMARY KEY (org, instance, lane)
) WITHOUT ROWID;

CREATE TABLE rejections (
    org INTEGER NOT NULL REFERENCES orgs (id),
    instance TEXT NOT NULL,
    lane TEXT NOT NULL,
    n INTEGER NOT NULL,
    event_id TEXT,
    code TEXT NOT NULL,
    pointer TEXT,
    PRIMARY KEY (org, instance, lane, n)
) WITHOUT ROWID;

CREATE TABLE boots (
    org INTEGER NOT NULL REFERENCES orgs (id),
    instance TEXT NOT NULL,
    boot TEXT NOT NULL,
    PRIMARY KEY (org, instance)
) WITHOUT ROWID;

CREATE TABLE commands (
    org INTEGER NOT NULL REFERENCES orgs (id),
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    by TEXT NOT NULL,
    instance TEXT,
    address TEXT,
    stage TEXT NOT NULL,
    ended INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    cancel INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (org, id)
);
CREATE INDEX commands_open ON commands (org, instance, seq) WHERE ended = 0;
CREATE INDEX commands_waiting ON commands (org, expires_at) WHERE ended = 0 AND sent = 0;
CREATE INDEX commands_ended ON commands (issued_at) WHERE ended = 1;

CREATE TABLE replies (
    org INTEGER NOT NULL REFERENCES orgs (id),
    id TEXT NOT NULL,
    digest BLOB NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (org, id)
);
CREATE INDEX replies_at ON replies (at);
