-- A mutation that was acknowledged without effect, as JSON, for its author: kept for a day, and the last 100 of each user. seq is the
-- time, in microseconds since 1970, or one more than the user's last; it is given out under the lock of the user's private space.
CREATE TABLE rejection (
  user_id ${text} NOT NULL, seq BIGINT NOT NULL, content ${blob} NOT NULL, PRIMARY KEY (user_id, seq)
)${clustered};
CREATE INDEX rejection_by_time ON rejection (seq);
