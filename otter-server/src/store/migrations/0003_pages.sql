-- Lists are read from new to old, live or not.
CREATE INDEX entities_list ON entities (scope, type, ord, key);
