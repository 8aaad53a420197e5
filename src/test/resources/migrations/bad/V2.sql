CREATE TABLE second (id BIGINT);
INSERT INTO nowhere (id) VALUES (1);
