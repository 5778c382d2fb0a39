"""Who may see a source, and what does a reader see of a collection?"""
