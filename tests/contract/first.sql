-- The tables as the first netplane made them on SQLite.
CREATE TABLE change (
    revision BIGINT NOT NULL,
    kind VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    operation VARCHAR NOT NULL,
    body BLOB,
    actor VARCHAR NOT NULL,
    time VARCHAR NOT NULL,
    PRIMARY KEY (revision)
);
CREATE TABLE claim (
    space VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    owner VARCHAR NOT NULL,
    PRIMARY KEY (space, value)
)
 WITHOUT ROWID;
CREATE TABLE log (
    identity VARCHAR NOT NULL,
    revision BIGINT NOT NULL,
    PRIMARY KEY (identity)
);
CREATE TABLE reference (
    source VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    field VARCHAR NOT NULL,
    target VARCHAR NOT NULL,
    "cascade" BOOLEAN NOT NULL,
    PRIMARY KEY (source, kind, field, target)
)
 WITHOUT ROWID;
CREATE INDEX reference_by_target ON reference (target, kind, field);
CREATE TABLE report (
    id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    body BLOB NOT NULL,
    time VARCHAR NOT NULL,
    PRIMARY KEY (id, kind)
)
 WITHOUT ROWID;
CREATE TABLE resource (
    id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    project VARCHAR NOT NULL,
    revision BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (id, kind)
)
 WITHOUT ROWID;
CREATE INDEX resource_by_project ON resource (kind, project, id);
