"""How does what is true change?"""
