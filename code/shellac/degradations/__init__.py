"""What time and machines do to sound."""
