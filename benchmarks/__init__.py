"""The cost of a request, measured on the whole system (`make bench`); README.md has the figures.

requests_run   measures requests, on its own system
scenarios      which requests are measured
client         the load: keep-alive connections on asyncio streams
measuring      CPU, time and memory of one scenario
floors         the same servers answering a constant, for comparison
report         the tables, the budgets, and the files that store them; tables: their format
start_run      how long `make up` takes on a fresh clone, and the second time

load_data      the command that fills a database (`make load-data`); progress: its output
generator      any number of thoughts, the same for the same seed; vocabulary: their words
batches        generates them in several processes
loading        loads them into a database; indexes: drops and rebuilds its indexes
destination    which database to load

search         the package that measures search
"""
