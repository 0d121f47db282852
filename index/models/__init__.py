"""Model files that ship with the index, each with its card, licence and hashes."""
