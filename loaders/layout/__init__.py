"""In which order does a reader read a page, and what are its blocks?"""
