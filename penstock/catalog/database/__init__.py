"""On which database does the catalog lie, and what differs between them?"""
