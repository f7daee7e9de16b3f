"""The Hugging Face Hub: its library, what it is asked, what it answers."""
