"""What happens to a question, from its hits to a checked answer?"""
