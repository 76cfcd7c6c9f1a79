"""Everyone who can view a channel, and what all of them can do elsewhere.

Without the members' intent, the bot doesn't know who has which roles. So this checks every member
that could exist: with any set of the guild's roles, and each person that an overwrite names.
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
# The permissions that a member keeps in a timeout. Any member except an administrator may get one.
LEFT_BY_TIMEOUT = ("view_channel", "read_message_history")


class Stance(NamedTuple):
    """What one role gives of one permission in one channel."""

    base: bool  # the role's own permission
    setting: Setting  # of the channel's overwrite for it


class Trait(NamedTuple):
    """What one role gives: viewing the channel here, and the permission that is needed there."""

    viewing: Stance
    need: Stance


class Audience:
    """Everyone who can view the channel `here`."""

    def __init__(self, guild: discord.Guild, here: GuildChannel) -> None:
        self._everyone = guild.default_role
        # The owner and administrators see everything, and the bot doesn't read answers.
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
        """Whether there may be a member who can view here and lacks the permission `need` there.

        Such a member may be in a timeout, and then keeps only LEFT_BY_TIMEOUT.

        If such a member exists, then there is one with at most two roles: one role that lets them
        view here, and one that denies `need` there. An allow outweighs every deny. Without an
        allow, the channel is visible only if no role denies it, so taking roles away cannot hide
        it. It never gives them `need` either. So sets of no role, one and two roles are checked;
        roles with the same trait count once, which leaves at most 36 kinds.
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
        # A person's own overwrite outweighs their roles. These are unknown, so all cases are tried.
        return any(
            (views if own_view is None else own_view)
            and not (need in LEFT_BY_TIMEOUT and (has if own_need is None else own_need))
            for own_view, own_need in self._personal(need, for_persons)
            for views, has in cases
        )

    def _traits(self, need: str, for_roles: Overwrites) -> set[Trait]:
        """The traits of all roles. Most roles have no overwrite, so only their base counts."""
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
        """The settings of single persons' overwrites: for viewing here, and for `need` there."""
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
