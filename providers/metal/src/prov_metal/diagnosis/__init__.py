"""Why a host does not come up: what can be seen of it, the likely cause, and the next command."""
