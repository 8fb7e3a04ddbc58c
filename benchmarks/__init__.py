"""Measures the whole system (`make bench`) and fills databases (`make load-data`).

requests_run   what a request costs; scenarios: which requests; requests_result: the table
floors         the same servers answering a constant, for comparison
start_run      how long `make up` takes
images_run     what the images and their containers need
search         the package that measures search

client         sends the requests
visitor        a logged-in user, whose requests they are
measuring      CPU time, latencies and memory
machine        where the figures were measured
report         writes the results, and their tables into README.md

load_data      the command that fills a database; destination: which one
loading        loads thoughts into a database
generator      any number of thoughts, always the same; vocabulary: their words
"""
