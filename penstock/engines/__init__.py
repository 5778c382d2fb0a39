"""Which model computes this? Embedders and language models, local and remote."""
