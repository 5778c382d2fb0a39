"""What must a part do to be one? A suite of tests for each port."""
