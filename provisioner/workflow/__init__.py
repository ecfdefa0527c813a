"""One function per verb of the tool: the arrows of the data path in a row."""
