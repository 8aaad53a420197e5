-- What was applied or rejected, a JSON object each, since at (milliseconds since 1970). On SQLite seq is the order of the commits. On
-- PostgreSQL it is an order in which nothing comes before what it was based on, but later numbers may be committed sooner: there place
-- is -1 until a reader gives those that are committed their places, one reader at a time. 'journal-last' in meta is the last place, and
-- 'journal-floor' the last one that was removed for its age.
CREATE TABLE journal (
  seq ${serial}, place BIGINT, user_id ${text} NOT NULL, content ${blob} NOT NULL, at BIGINT NOT NULL
);
CREATE INDEX journal_to_place ON journal (seq) WHERE place = -1;
CREATE INDEX journal_by_place ON journal (place) WHERE place > 0;
CREATE INDEX journal_by_user ON journal (user_id);
CREATE INDEX journal_by_time ON journal (at);
INSERT INTO meta (name, content) VALUES ('journal-last', '0');
INSERT INTO meta (name, content) VALUES ('journal-floor', '0');
