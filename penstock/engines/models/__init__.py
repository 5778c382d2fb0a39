"""Which model files are on this machine, and how do others get here?"""
