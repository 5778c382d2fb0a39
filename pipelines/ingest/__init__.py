"""What happens to a source, from its listing to the commit?"""
