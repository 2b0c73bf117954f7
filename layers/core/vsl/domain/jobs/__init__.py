"""The job: its id, what it was asked on which terms, where it stands, where its objects lie."""
