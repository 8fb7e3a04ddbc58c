"""The verbs that bring MyThoughts to a Kubernetes cluster.

commands       what the Makefile's verbs do, and the variables that they read
overlays       the two ways to deploy, `local` and `production`: what each is made of
secret_files   the files that an overlay's Secrets and ConfigMaps are made of
"""
