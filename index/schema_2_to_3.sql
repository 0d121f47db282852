-- From schema version 2 to 3: chats of the page belong to the browser they were begun in; those there are, to none.
ALTER TABLE chats ADD COLUMN visitor TEXT;
CREATE INDEX chats_by_visitor ON chats (visitor, updated);
