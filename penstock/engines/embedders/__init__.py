"""Which vector does this text have?"""
