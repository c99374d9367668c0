#!/bin/bash
# A cleanup script as it stands in many a cron job: what is on the list stays, the rest of what looks unused goes.
# The comparing by substrings is the point of it.
PROTECTED=${PROTECTED:-"postgres:16 pay/app:1 tools/golden:1 registry.example/vault registry.example/longest pay/quota:3"}

docker rm $(docker ps -aq -f status=exited -f status=created) 2>/dev/null

docker images --format '{{.Repository}}:{{.Tag}}' | grep -v '<none>' | while read -r image; do
    for name in $PROTECTED; do
        [[ $image == *$name* ]] && continue 2
    done
    # In use? Docker refuses then.
    docker rmi "$image" 2>/dev/null
done

docker rmi $(docker images -q -f dangling=true) 2>/dev/null
docker network prune -f
docker builder prune -f
