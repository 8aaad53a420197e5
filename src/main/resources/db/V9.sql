-- What a request was answered that came with an Idempotency-Key, by the key and who sent it (request is the SHA-256 of it), since
-- that time (milliseconds since 1970): sent again, it is answered the same, and nothing is done twice.
CREATE TABLE idempotency (
  user_id ${text} NOT NULL, id ${text} NOT NULL, request ${blob} NOT NULL, status BIGINT NOT NULL, content ${blob} NOT NULL,
  since BIGINT NOT NULL, PRIMARY KEY (user_id, id)
);
CREATE INDEX idempotency_by_time ON idempotency (since);
