"""What is made for readers of the API out of the files in api/; `devstack.publish` writes it."""
