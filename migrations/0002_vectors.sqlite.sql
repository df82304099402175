-- Vectors of rows, and the feed of changes that keeps every search index true.  SQLite dialect.
CREATE TABLE vectors (
  item_type TEXT NOT NULL, item_id INTEGER NOT NULL, -- 'note', 21
  model TEXT NOT NULL,
  user_id INTEGER NOT NULL, dimensions INTEGER NOT NULL,
  hash TEXT NOT NULL,                    -- of the text that was embedded: another hash = stale
  vector BLOB NOT NULL,                  -- fp32, little-endian, length one
  updated_at INTEGER NOT NULL,
  PRIMARY KEY (item_type, item_id, model)
) STRICT;
CREATE INDEX vectors_user ON vectors (user_id, model, item_type, item_id);
CREATE TABLE row_changes (               -- "something about this item is different": written by triggers, so no writer can forget it
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  xact INTEGER NOT NULL DEFAULT 0,       -- PostgreSQL: the writing transaction; ids there become visible out of order
  user_id INTEGER NOT NULL, item_type TEXT NOT NULL, item_id INTEGER NOT NULL,
  vector INTEGER NOT NULL DEFAULT 0      -- 1: the vector, not the row
) STRICT;
CREATE INDEX row_changes_user ON row_changes (user_id, id);
CREATE TABLE vector_state (              -- one row
  id INTEGER PRIMARY KEY CHECK (id = 1),
  database_id TEXT NOT NULL,             -- a snapshot file names the database it was made from
  owner_id INTEGER, lease_until INTEGER NOT NULL DEFAULT 0, -- who embeds: one process at a time
  pruned INTEGER NOT NULL DEFAULT 0      -- row_changes before this position are gone
) STRICT;
INSERT INTO vector_state (id, database_id) VALUES (1, lower(hex(randomblob(8))));

CREATE TRIGGER tasks_inserted AFTER INSERT ON tasks BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (NEW.user_id, 'task', NEW.id);
END;
CREATE TRIGGER tasks_updated AFTER UPDATE OF user_id, content, category_id, due_date, created_date, completed, deleted_at ON tasks BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (NEW.user_id, 'task', NEW.id);
END;
CREATE TRIGGER tasks_deleted AFTER DELETE ON tasks BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (OLD.user_id, 'task', OLD.id);
END;
CREATE TRIGGER notes_inserted AFTER INSERT ON notes BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (NEW.user_id, 'note', NEW.id);
END;
CREATE TRIGGER notes_updated AFTER UPDATE OF user_id, content, category_id, created_date, deleted_at ON notes BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (NEW.user_id, 'note', NEW.id);
END;
CREATE TRIGGER notes_deleted AFTER DELETE ON notes BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (OLD.user_id, 'note', OLD.id);
END;
CREATE TRIGGER sleep_logs_inserted AFTER INSERT ON sleep_logs BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (NEW.user_id, 'sleep', NEW.id);
END;
CREATE TRIGGER sleep_logs_updated AFTER UPDATE ON sleep_logs BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (NEW.user_id, 'sleep', NEW.id);
END;
CREATE TRIGGER sleep_logs_deleted AFTER DELETE ON sleep_logs BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (OLD.user_id, 'sleep', OLD.id);
END;
CREATE TRIGGER exercise_logs_inserted AFTER INSERT ON exercise_logs BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (NEW.user_id, 'exercise', NEW.id);
END;
CREATE TRIGGER exercise_logs_updated AFTER UPDATE ON exercise_logs BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (NEW.user_id, 'exercise', NEW.id);
END;
CREATE TRIGGER exercise_logs_deleted AFTER DELETE ON exercise_logs BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (OLD.user_id, 'exercise', OLD.id);
END;
CREATE TRIGGER water_logs_inserted AFTER INSERT ON water_logs BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (NEW.user_id, 'water', NEW.id);
END;
CREATE TRIGGER water_logs_updated AFTER UPDATE ON water_logs BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (NEW.user_id, 'water', NEW.id);
END;
CREATE TRIGGER water_logs_deleted AFTER DELETE ON water_logs BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (OLD.user_id, 'water', OLD.id);
END;
CREATE TRIGGER sauna_logs_inserted AFTER INSERT ON sauna_logs BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (NEW.user_id, 'sauna', NEW.id);
END;
CREATE TRIGGER sauna_logs_updated AFTER UPDATE ON sauna_logs BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (NEW.user_id, 'sauna', NEW.id);
END;
CREATE TRIGGER sauna_logs_deleted AFTER DELETE ON sauna_logs BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (OLD.user_id, 'sauna', OLD.id);
END;
CREATE TRIGGER inbody_measurements_inserted AFTER INSERT ON inbody_measurements BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (NEW.user_id, 'body', NEW.id);
END;
CREATE TRIGGER inbody_measurements_updated AFTER UPDATE ON inbody_measurements BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (NEW.user_id, 'body', NEW.id);
END;
CREATE TRIGGER inbody_measurements_deleted AFTER DELETE ON inbody_measurements BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id) VALUES (OLD.user_id, 'body', OLD.id);
END;
CREATE TRIGGER categories_updated AFTER UPDATE OF name, parent_id ON categories BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id)
    SELECT t.user_id, 'task', t.id FROM tasks t JOIN categories c ON c.id = t.category_id LEFT JOIN categories p ON p.id = c.parent_id
    WHERE t.deleted_at IS NULL AND NEW.id IN (c.id, p.id, p.parent_id)
    UNION ALL
    SELECT n.user_id, 'note', n.id FROM notes n JOIN categories c ON c.id = n.category_id LEFT JOIN categories p ON p.id = c.parent_id
    WHERE n.deleted_at IS NULL AND NEW.id IN (c.id, p.id, p.parent_id);
END;
CREATE TRIGGER vectors_inserted AFTER INSERT ON vectors BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id, vector) VALUES (NEW.user_id, NEW.item_type, NEW.item_id, 1);
END;
CREATE TRIGGER vectors_updated AFTER UPDATE ON vectors BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id, vector) VALUES (NEW.user_id, NEW.item_type, NEW.item_id, 1);
END;
CREATE TRIGGER vectors_deleted AFTER DELETE ON vectors BEGIN
  INSERT INTO row_changes (user_id, item_type, item_id, vector) VALUES (OLD.user_id, OLD.item_type, OLD.item_id, 1);
END;
