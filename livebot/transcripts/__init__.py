"""What was said: utterances with speakers and times, and the forms it is given out in."""
