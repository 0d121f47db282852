-- From schema version 1 to 2: stories (near-duplicates). What is stored already is compared when the library is opened.
ALTER TABLE library ADD COLUMN story_method TEXT;
ALTER TABLE versions RENAME COLUMN shingles TO bands; -- it was never filled
CREATE INDEX versions_without_bands ON versions (key) WHERE bands IS NULL;
CREATE TABLE bands (
    hash INTEGER NOT NULL,
    article INTEGER NOT NULL,
    PRIMARY KEY (hash, article)
) WITHOUT ROWID;
