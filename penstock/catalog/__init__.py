"""What is true? Documents, chunks, vectors, revisions and runs in one SQL database."""
