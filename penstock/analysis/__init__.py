"""Which tokens does a text have? One analyser for every keyword index."""
