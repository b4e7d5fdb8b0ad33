"""Redis: an addition. Control messages in, states and changes out; without it everything else goes on."""
