"""What is made of log lines, whichever agent collects them."""
