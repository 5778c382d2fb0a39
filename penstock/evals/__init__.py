"""How good is it? Ranking metrics and question sets."""
