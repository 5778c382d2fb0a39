"""What was, what is kept of it, and how does a collection move?"""
