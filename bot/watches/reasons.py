"""Why a watch is paused, as it is kept."""

BY_OWNER = "owner"
CLOSED_DMS = "closed dms"  # the member takes no direct messages from the bot
NO_CHANNEL = "no channel"  # the channel of its notices is gone
MAY_NOT_WRITE = "may not write"  # its owner, or the bot, may no longer write there
OTHER_MODEL = "other model"  # the picture that it was made with isn't kept
REFUSED = "refused"  # Discord refuses the notice, such as by a rule of AutoMod
