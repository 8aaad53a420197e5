-- A comment; and one that ends with a semicolon;
CREATE TABLE meta (name ${text} NOT NULL PRIMARY KEY, content ${text} NOT NULL);
CREATE TABLE first (
  id ${text} NOT NULL PRIMARY KEY, -- semicolons; inside a line end nothing
  value ${blob}
);
INSERT INTO meta (name, content) VALUES ('a;b', '1');
