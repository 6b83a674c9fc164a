"""One speaker's audio on its way to words, whoever brings it: a call, a browser, a program."""
