-- Events older than this may be forgotten; nothing else ever leaves the log. 0: none may.

CREATE TABLE retention (
  name TEXT NOT NULL PRIMARY KEY,
  events_before DOUBLE PRECISION NOT NULL
);

INSERT INTO retention (name, events_before) VALUES ('controller', 0);
