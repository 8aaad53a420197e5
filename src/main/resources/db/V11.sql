-- By these a user is erased.
CREATE INDEX client_group_by_user ON client_group (user_id);
CREATE INDEX room_link_by_creator ON room_link (created_by);
