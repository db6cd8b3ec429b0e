"""What the rehearsal adds to MiniStack, and where it makes MiniStack as strict as AWS."""
