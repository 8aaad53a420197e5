-- A transaction whose pokes are still owed, of users as a JSON array, since that time (milliseconds since 1970). Of nodes that
-- share the database; each row is gone as soon as its users have been poked.
CREATE TABLE owed_poke (id ${text} NOT NULL PRIMARY KEY, users ${blob} NOT NULL, since BIGINT NOT NULL);
CREATE INDEX owed_poke_by_time ON owed_poke (since);

-- Tokens that are refused, until expires_at: those with a sid (kind 'sid'), or those of a user (kind 'user') issued up to
-- revoked_at (both in milliseconds since 1970). Each has the version that was current when it was written, so that a node finds
-- those that it has not seen.
CREATE TABLE revocation (
  kind ${text} NOT NULL, subject ${text} NOT NULL, revoked_at BIGINT NOT NULL, expires_at BIGINT NOT NULL,
  version BIGINT NOT NULL, PRIMARY KEY (kind, subject)
);
CREATE INDEX revocation_by_version ON revocation (version);
CREATE INDEX revocation_by_expiry ON revocation (expires_at);

-- One row, which is raised and so locked by each transaction that writes a revocation: versions follow the order of commits.
CREATE TABLE revocation_version (version BIGINT NOT NULL);
INSERT INTO revocation_version (version) VALUES (0);
