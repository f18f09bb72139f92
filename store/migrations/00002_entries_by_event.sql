-- +goose Up
-- When an event is removed, SQLite looks for entries that name it.
CREATE INDEX entries_by_event ON entries (event);

-- +goose Down
DROP INDEX entries_by_event;
