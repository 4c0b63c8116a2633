-- Events of other producers, which tell of memories that the table of memories does not know; mostly there are none.
create index memory_events_foreign on memory_events (id, "timestamp" desc, event_id) where version is null;
