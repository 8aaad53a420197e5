ALTER TABLE first ADD COLUMN more BIGINT;
UPDATE meta SET content = content || '2' WHERE name = 'a;b';
