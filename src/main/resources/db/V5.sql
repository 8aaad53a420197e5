-- How many members a room has (space is 'r/' and its id), and in how many rooms a user is ('u/' and the id), so that nobody counts.
CREATE TABLE member_count (space ${text} NOT NULL PRIMARY KEY, members BIGINT NOT NULL);
INSERT INTO member_count (space, members) SELECT 'r/' || room, COUNT(*) FROM member GROUP BY room;
INSERT INTO member_count (space, members) SELECT 'u/' || user_id, COUNT(*) FROM member GROUP BY user_id;
CREATE INDEX member_owner ON member (room, user_id) WHERE role = 'owner';

-- The spaces where a key stands: of few keys there are many.
CREATE INDEX entry_by_key ON entry (key, space);

-- The clients of a group that were not seen for long get a row each. They stood in one JSON object, which each push read and wrote.
CREATE TABLE folded_client (
  group_id ${text} NOT NULL, id ${text} NOT NULL, last_mutation_id BIGINT NOT NULL, PRIMARY KEY (group_id, id)
)${clustered};
INSERT INTO folded_client (group_id, id, last_mutation_id)
SELECT g.id, f.key, CAST(f.value AS BIGINT) FROM client_group g, ${members}(g.folded${json}) f WHERE g.folded IS NOT NULL;
ALTER TABLE client_group DROP COLUMN folded;
