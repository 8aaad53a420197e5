-- What each space takes of the disk, in bytes: its entries; its tombstones; and, of a private space, the records of its user's client
-- groups and clients. Each row counts 64 beside its key and value, or its ids. They are changed with the rows, in one transaction.
ALTER TABLE space ADD COLUMN entry_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE space ADD COLUMN tombstone_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE space ADD COLUMN client_bytes BIGINT NOT NULL DEFAULT 0;
INSERT INTO space (id, version, compacted, entry_bytes, tombstone_bytes, client_bytes)
SELECT space, 0, 0, SUM(entries), SUM(tombstones), SUM(clients) FROM (
  SELECT space, octet_length(key) + octet_length(value) + 64 AS entries, 0 AS tombstones, 0 AS clients FROM entry
  UNION ALL SELECT space, 0, octet_length(key) + 64, 0 FROM tombstone
  UNION ALL SELECT 'u/' || user_id, 0, 0, octet_length(id) + octet_length(user_id) + 64 FROM client_group
  UNION ALL SELECT 'u/' || g.user_id, 0, 0, octet_length(c.id) + octet_length(c.group_id) + 64
    FROM client c JOIN client_group g ON g.id = c.group_id
  UNION ALL SELECT 'u/' || g.user_id, 0, 0, octet_length(c.id) + octet_length(c.group_id) + 64
    FROM folded_client c JOIN client_group g ON g.id = c.group_id
) AS kept WHERE true GROUP BY space
ON CONFLICT (id) DO UPDATE SET entry_bytes = excluded.entry_bytes, tombstone_bytes = excluded.tombstone_bytes,
  client_bytes = excluded.client_bytes;
