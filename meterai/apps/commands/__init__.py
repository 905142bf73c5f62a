"""The commands, one module for each kind of work, loaded when one of them is called."""
