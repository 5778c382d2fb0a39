"""How does it plug into other frameworks? LangChain, LlamaIndex, Haystack: one module each, each behind its extra."""
