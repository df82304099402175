-- Taps, SQLite dialect: a button names the message it stands under; without this every tap reads the whole outbox.
CREATE INDEX outbox_message ON outbox (channel, chat_id, message_id) WHERE message_id IS NOT NULL;
