"""What VSL costs in time, memory and money, beside what a user would pick instead and the limit."""
