"""The cost of search at several sizes (`make bench ARGS=search`).

run            measures everything, in one database that grows from size to size
asks           the requests; terms.json: the terms to search for, by class
system         the system under test; database: its thoughts
measures       sends the requests: warm, from many clients, cold
figures        the results: the format of the files
report         the table
"""
