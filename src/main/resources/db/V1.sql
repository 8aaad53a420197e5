-- Statements end with a semicolon at the end of a line. ${blob} is BLOB on SQLite, BYTEA on PostgreSQL; ${text} is TEXT, on
-- PostgreSQL with COLLATE "C": text is ordered by its bytes in UTF-8 on both.
-- Keys and values are bytes: keys in UTF-8, compared byte by byte as Replicache's client compares
-- them; values are JSON in UTF-8, exactly as it goes out.

-- What there is once: 'epoch' (names this database: a cookie from another one says nothing here) and
-- 'cookie-key' (32 random bytes in hexadecimal, with which cookies are signed).
CREATE TABLE meta (name ${text} NOT NULL PRIMARY KEY, content ${text} NOT NULL);

-- A space: 'u/' and a user id, or 'r/' and a room id. Its version is raised under its row's lock by each transaction that writes
-- in it; tombstones up to version 'compacted' may be gone.
CREATE TABLE space (
  id ${text} NOT NULL PRIMARY KEY, version BIGINT NOT NULL, compacted BIGINT NOT NULL
);

-- An entry; where value is null it is the tombstone of a deleted one, since changed_at (milliseconds since 1970). The key stands
-- in its space since version born: who left the space before that is never told that the key exists.
CREATE TABLE entry (
  space ${text} NOT NULL, key ${blob} NOT NULL, born BIGINT NOT NULL, version BIGINT NOT NULL, value ${blob},
  changed_at BIGINT NOT NULL, PRIMARY KEY (space, key)
);
CREATE INDEX entry_by_version ON entry (space, version);
CREATE INDEX entry_tombstone ON entry (changed_at) WHERE value IS NULL;

CREATE TABLE room (id ${text} NOT NULL PRIMARY KEY, created_at BIGINT NOT NULL);
CREATE TABLE member (
  room ${text} NOT NULL, user_id ${text} NOT NULL, role ${text} NOT NULL, since BIGINT NOT NULL, PRIMARY KEY (room, user_id)
);
CREATE INDEX member_by_user ON member (user_id);

-- A client group and its owner. Its version is raised by each push that acknowledges something. folded holds the clients that
-- were not seen for long, as a JSON object from client id to last mutation id; folded_version is the highest version among them.
CREATE TABLE client_group (
  id ${text} NOT NULL PRIMARY KEY, user_id ${text} NOT NULL, version BIGINT NOT NULL, seen_at BIGINT NOT NULL,
  folded ${text}, folded_version BIGINT NOT NULL
);
CREATE TABLE client (
  id ${text} NOT NULL PRIMARY KEY, group_id ${text} NOT NULL, last_mutation_id BIGINT NOT NULL,
  version BIGINT NOT NULL, seen_at BIGINT NOT NULL
);
CREATE INDEX client_by_group ON client (group_id, version);
