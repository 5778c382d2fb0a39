"""How do indexes keep in step with the catalog?"""
