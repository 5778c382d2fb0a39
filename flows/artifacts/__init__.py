"""What does a run of a flow show in Prefect?"""
