"""Which databases can hold the catalog, and what differs between them?"""
