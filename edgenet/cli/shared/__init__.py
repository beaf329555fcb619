"""What the commands share: options, tables, the terminal. A folder, so that it is no command."""
