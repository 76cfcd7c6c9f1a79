"""Everyone who can view a channel, and what all of them can do elsewhere.

Without the members' intent nobody's roles are known. So this reasons about every member that
could exist: any set of the guild's roles, and each person that an overwrite names.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

import discord
from discord.abc import GuildChannel

Setting: TypeAlias = bool | None  # an overwrite allows, denies, or says nothing
Overwrites: TypeAlias = Mapping[int, discord.PermissionOverwrite]  # by role or person

VIEW = "view_channel"
# What a timeout leaves to a member. Any member who is no administrator may be timed out.
LEFT_BY_TIMEOUT = ("view_channel", "read_message_history")


class Stance(NamedTuple):
    """What one role says about one permission in one channel."""

    base: bool  # the role's own permission
    setting: Setting  # of the channel's overwrite for it


class Trait(NamedTuple):
    """What one role says about viewing the channel here, and about the need there."""

    viewing: Stance
    need: Stance


class Audience:
    """Everyone who can view the channel `here`."""

    def __init__(self, guild: discord.Guild, here: GuildChannel) -> None:
        self._everyone = guild.default_role
        # the owner sees everything, and so do administrators; the bot is no reader
        self._exempt = {guild.owner_id, guild.me.id if guild.me else None}
        self._roles = {
            role.id: role.permissions
            for role in guild.roles
            if not role.is_default() and not role.permissions.administrator
        }
        self._alike: defaultdict[int, set[int]] = defaultdict(set)  # roles by their permissions
        for id, permissions in self._roles.items():
            self._alike[permissions.value].add(id)
        self._for_roles, self._for_persons = _overwrites(here)

    def all_have(self, needs: Iterable[str], there: GuildChannel) -> bool:
        """Whether everyone who can view the channel here has all `needs` in `there`."""
        if self._everyone.permissions.administrator:
            return True
        for_roles, for_persons = _overwrites(there)
        return not any(self._somebody_misses(need, for_roles, for_persons) for need in needs)

    def _somebody_misses(self, need: str, for_roles: Overwrites, for_persons: Overwrites) -> bool:
        """Whether a member may exist who can view here and has no `need` there.

        Whoever can view here may be timed out, and keeps but little.
        Over all sets of roles, two roles are always enough to show it: one that lets them view
        here, and one that denies the need there. Taking other roles away from such a member
        never hides what is here (a role that allows outweighs all that deny, and where none
        allows, none denied) and never gives them the need. So no role, one, or two decide,
        and of roles that say the same, one: at most 36 kinds.
        """
        everyone = self._trait(self._everyone.id, self._everyone.permissions, need, for_roles)
        cases = {
            (
                _granted(everyone.viewing, [trait.viewing for trait in held]),
                need in LEFT_BY_TIMEOUT and _granted(everyone.need, [trait.need for trait in held]),
            )
            for held in _up_to_two(self._traits(need, for_roles))
        }
        if (True, False) in cases:
            return True
        # their own overwrite outweighs their roles, which are unknown: any may be theirs
        return any(
            (views if own_view is None else own_view)
            and not (need in LEFT_BY_TIMEOUT and (has if own_need is None else own_need))
            for own_view, own_need in self._personal(need, for_persons)
            for views, has in cases
        )

    def _traits(self, need: str, for_roles: Overwrites) -> set[Trait]:
        """Of all roles. Most have no overwrite: of them only the base counts."""
        named = self._roles.keys() & (self._for_roles.keys() | for_roles.keys())
        traits = {self._trait(id, self._roles[id], need, for_roles) for id in named}
        for bits, ids in self._alike.items():
            if not ids <= named:
                traits.add(self._trait(0, discord.Permissions(bits), need, for_roles))
        return traits

    def _trait(
        self, id: int, permissions: discord.Permissions, need: str, for_roles: Overwrites
    ) -> Trait:
        return Trait(
            Stance(permissions.view_channel, _setting(self._for_roles, id, VIEW)),
            Stance(getattr(permissions, need), _setting(for_roles, id, need)),
        )

    def _personal(self, need: str, for_persons: Overwrites) -> Iterator[tuple[Setting, Setting]]:
        """What overwrites say to single persons: about viewing here, about the need there."""
        for person in (self._for_persons.keys() | for_persons.keys()) - self._exempt:
            yield _setting(self._for_persons, person, VIEW), _setting(for_persons, person, need)


def _granted(everyone: Stance, roles: Collection[Stance]) -> bool:
    """Discord's order: any role's allow, any role's deny, @everyone's setting, the base."""
    settings = {role.setting for role in roles}
    if True in settings:
        return True
    if False in settings:
        return False
    if everyone.setting is not None:
        return everyone.setting
    return everyone.base or any(role.base for role in roles)


def _up_to_two(traits: Collection[Trait]) -> Iterator[tuple[Trait, ...]]:
    return itertools.chain([()], ((trait,) for trait in traits), itertools.combinations(traits, 2))


def _overwrites(channel: GuildChannel) -> tuple[Overwrites, Overwrites]:
    """The overwrites of a channel, for roles and for persons."""
    for_roles: dict[int, discord.PermissionOverwrite] = {}
    for_persons: dict[int, discord.PermissionOverwrite] = {}
    for target, overwrite in channel.overwrites.items():
        is_role = isinstance(target, discord.Role) or getattr(target, "type", None) is discord.Role
        (for_roles if is_role else for_persons)[target.id] = overwrite
    return for_roles, for_persons


def _setting(settings: Overwrites, id: int, permission: str) -> Setting:
    overwrite = settings.get(id)
    setting: Setting = getattr(overwrite, permission) if overwrite is not None else None
    return setting
