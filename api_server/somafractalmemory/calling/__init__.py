"""The way from a program to the API, for `client`: its connection, its requests, and the API inside this process."""
