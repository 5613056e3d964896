"""What a user has allowed: a project by its content, recorded where only the user can write."""
