"""What was true at a revision?"""
