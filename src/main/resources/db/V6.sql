-- Who was asked into a room and is no member yet. One that was declined or withdrawn stays for a while: the first so that nobody is
-- asked again and again, the second so that being asked again pokes nobody. Times are milliseconds since 1970.
CREATE TABLE invitation (
  room ${text} NOT NULL, user_id ${text} NOT NULL, role ${text} NOT NULL, invited_by ${text} NOT NULL, invited_at BIGINT NOT NULL,
  declined_at BIGINT, withdrawn_at BIGINT, PRIMARY KEY (room, user_id)
);
CREATE INDEX invitation_by_user ON invitation (user_id);
CREATE INDEX invitation_by_inviter ON invitation (invited_by, user_id);
CREATE INDEX invitation_by_time ON invitation (invited_at);
CREATE INDEX invitation_withdrawn ON invitation (withdrawn_at) WHERE declined_at IS NULL AND withdrawn_at IS NOT NULL;

-- A link by which whoever has its code may join a room. The code itself is not kept: id is its SHA-256, in base64url.
CREATE TABLE room_link (
  id ${text} NOT NULL PRIMARY KEY, room ${text} NOT NULL, role ${text} NOT NULL, created_by ${text} NOT NULL,
  expires_at BIGINT NOT NULL, uses_left BIGINT NOT NULL
);
CREATE INDEX room_link_by_room ON room_link (room);
CREATE INDEX room_link_by_expiry ON room_link (expires_at);
