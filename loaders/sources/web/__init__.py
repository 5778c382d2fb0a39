"""How are pages of the web fetched, politely, and never from a private network?"""
