"""What the kinds are called: as a title of a column or a group, and as one of many objects."""

from workers.contract import Kind

KIND_TITLES = {
    Kind.CONTAINER: "Stopped containers",
    Kind.IMAGE: "Images",
    Kind.NETWORK: "Unused networks",
    Kind.BUILD_CACHE: "Build cache records",
}
# Of objects that stay, went or come back; what is to go has other nouns (workers.wording).
NOUNS = {
    Kind.CONTAINER: "container",
    Kind.IMAGE: "image",
    Kind.NETWORK: "network",
    Kind.BUILD_CACHE: "build cache record",
}
