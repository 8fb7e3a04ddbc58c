# Sourced by the two other scripts.

# Waits for up to a minute until the database at a URL accepts connections. Where network policies are
# enforced, the first connections of a new pod may be rejected.
wait_for() {
    until pg_isready --quiet --dbname="$1"; do
        # After a minute, this prints the state of the database and ends the script.
        ((SECONDS < 60)) || pg_isready --dbname="$1"
        sleep 1
    done
}
