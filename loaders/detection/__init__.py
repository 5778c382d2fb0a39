"""What kind of file is this, and in which encoding is its text?"""
