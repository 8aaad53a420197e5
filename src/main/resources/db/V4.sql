-- The epoch in which a client group was last written. After a restore the database has another one, so of a group that comes back it
-- is known how far it had come in the backup: its version, until its first push; from then on it stands here, by the epoch that
-- ended. A row without a group (its id is '') says that of this epoch nothing is known: of no group.
ALTER TABLE client_group ADD COLUMN epoch ${text} NOT NULL DEFAULT '';
UPDATE client_group SET epoch = coalesce((SELECT content FROM meta WHERE name = 'epoch'), '');
CREATE TABLE former_epoch (
  group_id ${text} NOT NULL, epoch ${text} NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (group_id, epoch)
);
