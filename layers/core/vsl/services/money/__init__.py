"""What a job will cost, and what each of its predictions did cost."""
