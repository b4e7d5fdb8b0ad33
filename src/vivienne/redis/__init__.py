"""Redis, which is optional: control messages in, states and changes out. Without it everything else works."""
