"""What do pictures of text say?"""
