"""The verbs that deploy MyThoughts to a Kubernetes cluster.

commands       the Makefile's verbs: secrets, rotate-keys, cluster-up, cluster-down,
               deploy, redeploy, cluster-dev, dev, prepare, undeploy
deployment     deploying an overlay, or one service's new image
development    running the working tree in the cluster; replicas: sends code to the pods;
               templates: changes and restores the Deployments; lease: records who is developing
one_service    one service on this machine, among the others in the cluster; forwarding: how it
               reaches them
cluster_tools  creating the cluster `mythoughts` on this machine with kind, k3d or minikube
images         building the images, and bringing them to a cluster or its registry
rollout        waiting until everything is ready; reasons: why something is not
addresses      where the deployed system is reachable
key_rotation   new token keys, in the overlay's files and in the cluster
secret_files   the files that an overlay's Secrets and ConfigMaps are generated from
overlays       the two ways to deploy, `local` and `production`
kubectl        kubectl, always with the chosen context
messages       what is printed at the end, or instead
"""
