"""What is measured, and what it is compared with: all of it real, each in processes of its own."""
