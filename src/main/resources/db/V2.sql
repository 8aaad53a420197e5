-- A transaction whose pokes are still owed, of users as a JSON array, since that time (milliseconds since 1970). Of nodes that
-- share the database; each row is gone as soon as its users have been poked.
CREATE TABLE owed_poke (id ${text} NOT NULL PRIMARY KEY, users ${blob} NOT NULL, since BIGINT NOT NULL);
CREATE INDEX owed_poke_by_time ON owed_poke (since);
