"""What search costs at several sizes, beside three alternatives (`make bench ARGS=search`).

run            measures everything, in one database that grows from size to size
sample, terms  which terms are searched for
asks, load     which requests are sent, and sending them
system, database
               what they are sent to
ours, alternatives, writes, storm, costs
               what is measured
figures        what was found
report, costs_report, picture
               shows it
"""
