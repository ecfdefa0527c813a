"""Plans, events and problems for people and machines. Secrets cannot be opened here."""
