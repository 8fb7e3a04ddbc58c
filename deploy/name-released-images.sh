#!/usr/bin/env bash
# name-released-images.sh REPOSITORY VERSION: writes the component `released-images`, which names the
# images REPOSITORY/frontend:VERSION and so on by the digests that the registry has for them now.
# Needs docker with its plugin buildx.
set -euo pipefail
repository=$1 version=$2
file=$(dirname -- "$0")/kubernetes/components/released-images/kustomization.yaml

{
    echo "# The images of release $version."
    echo "apiVersion: kustomize.config.k8s.io/v1alpha1"
    echo "kind: Component"
    echo "images:"
    for name in thoughts-backend users-backend frontend; do
        image=$repository/$name
        digest=$(docker buildx imagetools inspect "$image:$version" --format '{{println .Manifest.Digest}}')
        echo "  - {name: mythoughts/$name, newName: $image, digest: $digest}"
    done
} >"$file.unfinished"
mv -- "$file.unfinished" "$file"
