-- The common subset of SQLite and PostgreSQL. Instants are milliseconds since 1970 in DOUBLE PRECISION, exact up
-- to 2^53 in both. JSON is TEXT in canonical form, so that equal values are equal bytes.

CREATE TABLE lease (
  name TEXT NOT NULL PRIMARY KEY,
  -- '' when nobody holds it
  holder TEXT NOT NULL,
  epoch BIGINT NOT NULL,
  until_at DOUBLE PRECISION NOT NULL
);

INSERT INTO lease (name, holder, epoch, until_at) VALUES ('controller', '', 0, 0);

CREATE TABLE event (
  -- Given by the writer, inside the transaction that holds the lease's row: a sequence of the engine leaves gaps.
  seq BIGINT NOT NULL PRIMARY KEY,
  at DOUBLE PRECISION NOT NULL,
  type TEXT NOT NULL,
  subject TEXT NOT NULL,
  actor TEXT NOT NULL,
  operation TEXT,
  commit_sha TEXT,
  data TEXT NOT NULL
);

CREATE INDEX event_subject ON event (subject, seq);

CREATE TABLE operation (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  state TEXT NOT NULL,
  intent TEXT NOT NULL,
  result TEXT NOT NULL,
  created_at DOUBLE PRECISION NOT NULL,
  updated_at DOUBLE PRECISION NOT NULL
);

CREATE INDEX operation_subject ON operation (subject, created_at);

CREATE INDEX operation_open ON operation (created_at, id) WHERE state NOT IN ('done', 'superseded', 'withheld');

CREATE TABLE rollout (
  subject TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL
);

CREATE TABLE analysis (
  subject TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL
);
