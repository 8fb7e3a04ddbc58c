"""The verbs that bring MyThoughts to a Kubernetes cluster.

commands       what the Makefile's verbs do: secrets, rotate-keys, cluster-up, cluster-down,
               deploy, redeploy, undeploy
deployment     bringing an overlay to a cluster, and one service's new image
clusters       making the cluster `mythoughts` on this machine; cluster_tools: kind, k3d and
               minikube, and how each is told so
images         building the images and getting them into a cluster
rollout        waiting until all is ready; reasons: why something is not
addresses      where what was deployed is reached
key_rotation   new keys for the tokens, in the overlay's files and in the cluster
secret_files   the files that an overlay's Secrets and ConfigMaps are made of
overlays       the two ways to deploy, `local` and `production`
services       the three services as a cluster knows them
kubectl        that program, always with the context that was chosen; programs: all others
"""
