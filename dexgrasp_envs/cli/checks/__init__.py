"""What `dexgrasp doctor` looks at."""
