"""Elasticsearch as the index of words, of vectors, or of both; its client is imported with `store` and not before."""
