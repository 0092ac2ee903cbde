-- The oldest live rows of all integrators' types of a scope. `/` follows `.`: the types that begin with `x.`.
CREATE INDEX entities_vendors ON entities (scope, ord, key) WHERE type >= 'x.' AND type < 'x/' AND live = 1;
