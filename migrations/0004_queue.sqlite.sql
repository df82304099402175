-- The inbox's queue, SQLite dialect: one index that grows at its end, instead of two.  An index by lane has a page for each chat with
-- a backlog, and every commit wrote all of them anew: more than half of what taking in an update cost.
DROP INDEX inbox_claim;
DROP INDEX inbox_lane;
CREATE INDEX inbox_queue ON inbox (tap, id, lane, run_at, crashes, state) WHERE state = 'available';
CREATE INDEX inbox_console ON inbox (lane, id) WHERE channel = 'console' AND state IN ('available','running');
