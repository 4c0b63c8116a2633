-- Memories that were erased: no name and no content, only what keeps them away. Their events still lie in Kafka, and a
-- replay must not bring them back; a memory that is stored at the same place later goes on counting.
create table erased (
    id uuid primary key,
    version bigint not null,
    erased_at double precision not null
);
