"""What did a collection hold, what of it is kept, and how is a collection moved?"""
