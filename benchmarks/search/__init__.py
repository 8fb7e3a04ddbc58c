"""The cost of search at several sizes, and of three alternatives (`make bench ARGS=search`).

run            measures everything, in one database that grows from size to size
sample, terms  the terms to search for
asks, load     the requests, and sending them
system, database
               the system and database under test
ours, alternatives, writes, storm, costs
               the measurements
figures        the results
report, costs_report, picture
               show the results
"""
