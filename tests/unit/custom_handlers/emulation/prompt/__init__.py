"""What a conversation looks like as one text, and that nothing in it can pass for something else."""
