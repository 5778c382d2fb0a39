"""How does the content of the catalog change?"""
