-- Tables that this server adds to the table of orders, so that a database with only that table works, too.

CREATE TABLE order_lines (
    order_id         TEXT NOT NULL REFERENCES orders (order_id) ON DELETE CASCADE,
    position         INTEGER NOT NULL,
    product          TEXT NOT NULL,
    quantity         INTEGER NOT NULL CHECK (quantity > 0),
    unit_price_cents INTEGER NOT NULL CHECK (unit_price_cents >= 0),
    PRIMARY KEY (order_id, position)
) STRICT, WITHOUT ROWID;

-- All numbers assigned to orders, so that none is assigned twice, with the caller's idempotency keys.
CREATE TABLE order_numbers (
    number          INTEGER PRIMARY KEY,
    idempotency_key TEXT UNIQUE
) STRICT;

CREATE TABLE order_notes (
    note_id    INTEGER PRIMARY KEY,
    order_id   TEXT NOT NULL REFERENCES orders (order_id) ON DELETE CASCADE,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    text       TEXT NOT NULL
) STRICT;

CREATE INDEX order_notes_by_order ON order_notes (order_id);

-- The full-text index of the notes; their texts stay in their table. "porter" matches "refunded" with "refund".
CREATE VIRTUAL TABLE order_notes_index USING fts5 (
    text,
    content = 'order_notes',
    content_rowid = 'note_id',
    tokenize = 'porter unicode61'
);

CREATE TRIGGER order_note_added AFTER INSERT ON order_notes BEGIN
    INSERT INTO order_notes_index (rowid, text) VALUES (new.note_id, new.text);
END;

CREATE TRIGGER order_note_removed AFTER DELETE ON order_notes BEGIN
    INSERT INTO order_notes_index (order_notes_index, rowid, text) VALUES ('delete', old.note_id, old.text);
END;

CREATE TRIGGER order_note_changed AFTER UPDATE ON order_notes BEGIN
    INSERT INTO order_notes_index (order_notes_index, rowid, text) VALUES ('delete', old.note_id, old.text);
    INSERT INTO order_notes_index (rowid, text) VALUES (new.note_id, new.text);
END;

PRAGMA user_version = 1;
