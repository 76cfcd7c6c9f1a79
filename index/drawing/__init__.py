"""Pictures of pictures: contact sheets and maps, with names in every script on them."""
