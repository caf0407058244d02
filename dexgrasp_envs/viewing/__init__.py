"""To watch episodes: policies from files or functions, video files, and a live view in the browser."""
