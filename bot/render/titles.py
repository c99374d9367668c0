"""What the kinds are called where a column or a group needs a title."""

from workers.contract import Kind

KIND_TITLES = {
    Kind.CONTAINER: "Stopped containers",
    Kind.IMAGE: "Images",
    Kind.NETWORK: "Unused networks",
    Kind.BUILD_CACHE: "Build cache records",
}
