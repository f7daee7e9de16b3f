"""Files of the Hub on their way here: the queue, and the process that fetches."""
