"""The cost of search at several sizes (`make bench ARGS=search`).

run            measures everything, in one database that grows from size to size
sample, terms  the terms to search for
asks           the requests
system, database
               the system and database under test
measures       sends the requests: warm, from many clients, cold
figures        the results: the format of the files
report         the table
"""
