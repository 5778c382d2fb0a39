"""Which sources are there, and how do their bytes get here?"""
