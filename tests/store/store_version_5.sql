PRAGMA application_id=1264939892;
PRAGMA user_version=5;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE blobs(
  hash TEXT NOT NULL PRIMARY KEY, -- SHA-256 of the bytes
  bytes BLOB NOT NULL
) STRICT;
INSERT INTO blobs VALUES('d452eef0ef1a7f557c886f37c45298475567716b14d8ef9edd95b8a21651b4c5',X'7b2274657874223a226c61726765227d');
CREATE TABLE events(
  id INTEGER PRIMARY KEY,      -- grows; the order of all events
  run TEXT NOT NULL,           -- runs.id
  seq INTEGER NOT NULL,        -- 1, 2, 3 … in each run
  at INTEGER NOT NULL,         -- microseconds since 1970, UTC
  type TEXT NOT NULL,
  data TEXT NOT NULL,          -- a JSON object
  blob TEXT,                   -- blobs.hash, if the data was too large for here
  previous INTEGER             -- events.id of the one before in this run
) STRICT;
INSERT INTO events VALUES(1,'run_00000000000000000000000001',1,100,'run_started','{"agent":"ops"}',NULL,NULL);
INSERT INTO events VALUES(2,'run_00000000000000000000000002',1,110,'run_started','{"agent":"ops"}',NULL,NULL);
INSERT INTO events VALUES(3,'run_00000000000000000000000001',2,120,'message_received','{"$blob":"d452eef0ef1a7f557c886f37c45298475567716b14d8ef9edd95b8a21651b4c5"}','d452eef0ef1a7f557c886f37c45298475567716b14d8ef9edd95b8a21651b4c5',1);
INSERT INTO events VALUES(4,'run_00000000000000000000000002',2,130,'run_completed','{}',NULL,2);
INSERT INTO events VALUES(5,'run_00000000000000000000000003',1,140,'run_started','{"agent":"ops"}',NULL,NULL);
CREATE TABLE inbox(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run TEXT NOT NULL,           -- runs.id
  data TEXT NOT NULL,
  at INTEGER NOT NULL
, answer TEXT) STRICT;
INSERT INTO inbox VALUES(7,'run_00000000000000000000000003','hello',150,NULL);
INSERT INTO inbox VALUES(8,'run_00000000000000000000000003','heard',151,'yes');
CREATE TABLE owners(
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- lives while byte #id is locked
  pid INTEGER NOT NULL,
  opened_at INTEGER NOT NULL
, renewed_at INTEGER, lease INTEGER) STRICT;
INSERT INTO owners VALUES(3,4242,100,100,10000000);
CREATE TABLE runs(
  id TEXT NOT NULL UNIQUE,     -- run_…, sorts by time
  agent TEXT NOT NULL,
  status TEXT NOT NULL,
  last_seq INTEGER NOT NULL,   -- length of the log
  last_event INTEGER NOT NULL, -- events.id of the newest event
  created_at INTEGER NOT NULL, -- microseconds since 1970, UTC
  updated_at INTEGER NOT NULL,
  parent TEXT,                 -- runs.id
  tenant TEXT,
  key TEXT                     -- the caller's idempotency key
, owner INTEGER, wake_at INTEGER) STRICT;
INSERT INTO runs VALUES('run_00000000000000000000000001','ops','waiting_on_human',2,3,100,120,NULL,'acme','order-17',NULL,NULL);
INSERT INTO runs VALUES('run_00000000000000000000000002','ops','completed',2,4,110,130,'run_00000000000000000000000001',NULL,NULL,NULL,NULL);
INSERT INTO runs VALUES('run_00000000000000000000000003','ops','running',1,5,140,140,NULL,NULL,NULL,3,NULL);
CREATE TABLE snapshots(
  run TEXT NOT NULL PRIMARY KEY,
  seq INTEGER NOT NULL,
  version INTEGER NOT NULL,
  data BLOB NOT NULL
) STRICT;
INSERT INTO snapshots VALUES('run_00000000000000000000000001',1,1,X'666f6c646564');
CREATE TABLE shared(
  name TEXT NOT NULL PRIMARY KEY,
  data TEXT NOT NULL
) STRICT;
INSERT INTO shared VALUES('limits','{}');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('owners',3);
INSERT INTO sqlite_sequence VALUES('inbox',8);
CREATE INDEX runs_by_status ON runs(status, id);
CREATE INDEX runs_by_agent ON runs(agent, id);
CREATE INDEX runs_by_parent ON runs(parent, id) WHERE parent IS NOT NULL;
CREATE INDEX runs_by_time ON runs(created_at);
CREATE UNIQUE INDEX runs_by_key ON runs(agent, key) WHERE key IS NOT NULL;
CREATE INDEX inbox_waiting ON inbox(run, id) WHERE answer IS NULL;
CREATE INDEX runs_by_wake ON runs(wake_at, id) WHERE wake_at IS NOT NULL;
CREATE INDEX runs_of_parents ON runs(status, id) WHERE parent IS NOT NULL;
COMMIT;
