-- The truth of a library, schema version 2. Everything else in the folder can be rebuilt from it.
-- Keys are AUTOINCREMENT so that a key is never used twice: caches may hold on to them.
-- Tables are not STRICT because SQLite before 3.37 is still what some Python 3.11 is linked with.

-- One row per build, that is per choice of embedder and chunker; `library.build` says which one is read.
CREATE TABLE manifest (
    build INTEGER PRIMARY KEY AUTOINCREMENT,
    embedder INTEGER NOT NULL REFERENCES embedders (key),
    distance TEXT NOT NULL,
    chunker_version INTEGER NOT NULL,
    chunk_tokens INTEGER NOT NULL,
    tokenizer TEXT NOT NULL,
    created TEXT NOT NULL
);

CREATE TABLE library (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    build INTEGER NOT NULL REFERENCES manifest (build),
    keep_versions INTEGER NOT NULL DEFAULT 0 CHECK (keep_versions IN (0, 1)),
    created TEXT NOT NULL,
    story_method TEXT -- by which `bands` were made; other ones cannot be compared
);

CREATE TABLE embedders (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    fingerprint TEXT NOT NULL UNIQUE,
    dim INTEGER NOT NULL
);

-- An article is visible when `current` is set. Near-duplicates share a `story` number.
CREATE TABLE articles (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    id_given INTEGER NOT NULL CHECK (id_given IN (0, 1)),
    current INTEGER REFERENCES versions (key) DEFERRABLE INITIALLY DEFERRED,
    story INTEGER
);
CREATE UNIQUE INDEX articles_by_current ON articles (current);
CREATE INDEX articles_by_story ON articles (story);

-- `bands` holds the article's rows of the table `bands`, as little-endian int64; NULL until it was compared.
CREATE TABLE versions (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    article INTEGER NOT NULL REFERENCES articles (key) ON DELETE CASCADE,
    version TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    normaliser INTEGER NOT NULL,
    title TEXT NOT NULL,
    source TEXT,
    outlet TEXT, -- the source casefolded, for filters
    url TEXT,
    published TEXT,
    author TEXT,
    language TEXT,
    added TEXT NOT NULL,
    bands BLOB,
    text TEXT NOT NULL, -- last, so that the facts are read without paging through long texts
    UNIQUE (article, version)
);
CREATE INDEX versions_by_content ON versions (content_hash);
CREATE INDEX versions_by_published ON versions (published);
CREATE INDEX versions_by_outlet ON versions (outlet);
CREATE INDEX versions_without_bands ON versions (key) WHERE bands IS NULL;

-- MinHash bands of the visible articles' texts: likely near-duplicates share a row's `hash` (index/library_stories.py).
CREATE TABLE bands (
    hash INTEGER NOT NULL,
    article INTEGER NOT NULL,
    PRIMARY KEY (hash, article)
) WITHOUT ROWID;

-- Where an article was loaded from, and under which id it arrived there (copies keep the first one's id).
CREATE TABLE origins (
    origin TEXT NOT NULL,
    arrived_as TEXT NOT NULL,
    article INTEGER NOT NULL REFERENCES articles (key) ON DELETE CASCADE,
    PRIMARY KEY (origin, arrived_as)
) WITHOUT ROWID;
CREATE INDEX origins_by_article ON origins (article);

-- By what was embedded: nothing is embedded twice, whoever shares the text. `vector` is a passage's, float16 and of unit
-- length; `sentences` holds a row for each of its sentences, int8 (index/sentence_vectors.py).
CREATE TABLE vectors (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    embedder INTEGER NOT NULL REFERENCES embedders (key),
    text_hash BLOB NOT NULL,
    vector BLOB NOT NULL,
    sentences BLOB NOT NULL, -- last: a scan of the vectors then skips its pages
    UNIQUE (embedder, text_hash)
);

-- `sentences` is a run of little-endian uint32 pairs: start and end of each sentence in the article's text.
CREATE TABLE passages (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    build INTEGER NOT NULL REFERENCES manifest (build),
    id TEXT NOT NULL,
    version INTEGER NOT NULL REFERENCES versions (key) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    span_start INTEGER NOT NULL,
    span_end INTEGER NOT NULL,
    sentences BLOB NOT NULL,
    n_tokens INTEGER NOT NULL,
    vector INTEGER NOT NULL REFERENCES vectors (key),
    UNIQUE (id, build), -- not the other way round: a scan of one build is to go through the table itself
    UNIQUE (version, build, ordinal)
);
CREATE INDEX passages_by_vector ON passages (vector);

-- What a reader may see: passages of the build that is read and of the versions that are current.
CREATE VIEW visible AS
SELECT
    passages.key, passages.id, passages.ordinal, passages.span_start, passages.span_end, passages.sentences,
    passages.n_tokens, passages.vector, articles.key AS article, articles.id AS article_id,
    articles.current AS version_key
FROM passages
JOIN articles ON articles.current = passages.version
WHERE passages.build = (SELECT library.build FROM library);

-- One row per acknowledged change of what is visible; `token` is random, so that a restored backup is noticed.
CREATE TABLE commits (
    generation INTEGER PRIMARY KEY AUTOINCREMENT,
    token TEXT NOT NULL
);

-- Passages that came or went with a commit, kept until both disposable indexes have caught up.
CREATE TABLE changes (
    generation INTEGER NOT NULL REFERENCES commits (generation) ON DELETE CASCADE,
    passage_id TEXT NOT NULL,
    PRIMARY KEY (generation, passage_id)
) WITHOUT ROWID;

-- The two disposable indexes: which folder (`chroma/3`), of which format, caught up to which commit.
CREATE TABLE indexes (
    name TEXT PRIMARY KEY,
    folder INTEGER NOT NULL,
    format INTEGER NOT NULL,
    applied INTEGER NOT NULL
);

-- Conversations. `answer` is the JSON of DESIGN 3.1; a turn with a sibling is a branch of the conversation.
-- `visitor` is the hash of the secret that the browser holds which may see the chat; NULL: begun at the command line
-- or in Python, and seen by no browser.
CREATE TABLE chats (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    visitor TEXT
);
CREATE INDEX chats_by_updated ON chats (updated);
CREATE INDEX chats_by_visitor ON chats (visitor, updated);

CREATE TABLE turns (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    chat INTEGER NOT NULL REFERENCES chats (key) ON DELETE CASCADE,
    parent INTEGER REFERENCES turns (key) ON DELETE CASCADE,
    created TEXT NOT NULL,
    question TEXT NOT NULL,
    standalone_question TEXT,
    filters TEXT,
    answer TEXT
);
CREATE INDEX turns_by_chat ON turns (chat);
CREATE INDEX turns_by_parent ON turns (parent);

-- Which article versions a stored answer cites: by name, for the article may be gone.
CREATE TABLE turn_citations (
    turn INTEGER NOT NULL REFERENCES turns (key) ON DELETE CASCADE,
    n INTEGER NOT NULL,
    article_id TEXT NOT NULL,
    version TEXT NOT NULL,
    span_start INTEGER NOT NULL,
    span_end INTEGER NOT NULL,
    PRIMARY KEY (turn, n)
) WITHOUT ROWID;
CREATE INDEX turn_citations_by_article ON turn_citations (article_id, version);

CREATE TABLE feedback (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    turn INTEGER REFERENCES turns (key) ON DELETE CASCADE,
    citation INTEGER,
    verdict TEXT NOT NULL CHECK (verdict IN ('good', 'bad')),
    comment TEXT,
    created TEXT NOT NULL
);
CREATE INDEX feedback_by_turn ON feedback (turn);
