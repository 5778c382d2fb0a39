"""What does the catalog hold at a revision?"""
