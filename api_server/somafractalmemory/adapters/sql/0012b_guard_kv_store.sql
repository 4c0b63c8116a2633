-- No request has any business with other programs' keys and values.
select guard_namespaces();
