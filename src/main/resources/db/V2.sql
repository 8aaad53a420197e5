-- The tombstones get a table of their own, one for each time that a key was deleted. A key of an entry stands in its space from
-- version born on; one of a tombstone stood there from version born on and before version died. So of any version it is known which
-- keys stood there then, and nobody is told the name of another one. An entry's value is not null any more.
CREATE TABLE tombstone (
  space ${text} NOT NULL, died BIGINT NOT NULL, key ${blob} NOT NULL, born BIGINT NOT NULL, changed_at BIGINT NOT NULL,
  PRIMARY KEY (space, died, key)
);
INSERT INTO tombstone (space, died, key, born, changed_at)
SELECT space, version, key, born, changed_at FROM entry WHERE value IS NULL;
DELETE FROM entry WHERE value IS NULL;
DROP INDEX entry_tombstone;
CREATE INDEX tombstone_by_age ON tombstone (changed_at);

-- Till now born was the first birth of a key that was deleted and put again, and when it was away was forgotten. In a private space
-- that does no harm: its owner may be told to delete a key of his that is gone already. As to rooms, whoever has not seen all of one
-- gets the whole view once, as if the room was compacted.
UPDATE space SET compacted = version WHERE id LIKE 'r/%';
