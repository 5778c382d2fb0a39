"""Which language model answers?"""
