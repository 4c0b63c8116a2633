-- Trigrams find words, phrases and any three letters in a row without reading the table.
create extension if not exists pg_trgm;
create index memories_letters on memories using gin (search_text gin_trgm_ops);

-- Arrays of one length sort by their first number, then the second and so on: a box is a part of this index, in order.
create index memories_by_place on memories (namespace, cardinality(coordinate), coordinate) where not deleted;
