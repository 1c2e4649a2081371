"""The shell: the same loop for a terminal and for a script on stdin."""
