"""Changes over Redis: a channel that forgets and a stream that does not. They translate; they decide nothing."""
