"""What is made of lines, by any agent."""
