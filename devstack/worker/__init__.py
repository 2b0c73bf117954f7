"""What runs inside a function's process on the local stack. Standard library and awslambdaric only."""
