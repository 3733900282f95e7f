<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

use Msab\Laravel\Contract\CatalogEvent;
use Msab\Laravel\Contract\Target;
use Msab\Laravel\Events;

/** One event of each of the contract's, with all that it can carry, for user 42 or room 7. */
final class Samples
{
    /** @return array<string, array{CatalogEvent, Target}> by name */
    public static function all(): array
    {
        $user = Target::user(42);
        $room = Target::room(7);
        $samples = [
            [new Events\BalanceUpdated(coins: '1500', diamonds: '-3', wealthXp: '12.50', charmXp: '0'), $user],
            [new Events\RewardEarned(new Events\RewardEarned\Reward(1, 'coins', '500', '')), $user],
            [new Events\BadgeEarned(new Events\BadgeEarned\Badge(1, 'Ünïcode ✨', 'https://x/y.png', Events\BadgeEarned\Badge\Category::Special)), $user],
            [new Events\IncomeTargetCompleted(new Events\IncomeTargetCompleted\IncomeTarget(1, 0, '100')), $user],
            [new Events\RoomLevelUp(5, '12345678901234567890'), $room],
            [new Events\AgencyInvitation(9, new Events\AgencyInvitation\Agency(1, 'A', null), new Events\AgencyInvitation\Inviter(2, 'B')), $user],
            [new Events\AgencyJoinRequest(9, new Events\AgencyJoinRequest\Applicant(3, 'C', 'https://x/c.png'), 'Hi'), $user],
            [new Events\AgencyJoinRequestApproved(1, 'A'), $user],
            [new Events\AgencyJoinRequestRejected(1, 'A'), $user],
            [new Events\AgencyMemberKicked(1, 'A', 'spam'), $user],
            [new Events\AgencyDissolved(1, 'A'), Target::users([42, 43])],
            [new Events\ConfigInvalidate('badges', 'v2'), Target::everyone()],
            [new Events\AssetInvalidate(['a', 'b/c.png']), Target::everyone()],
            [new Events\GiftReceived(1, 2, [3, 4], 5, 't-1', recipientId: 3, batchId: 'b'), $room],
            [new Events\GiftError('t-1', 'INSUFFICIENT_BALANCE', 'Not enough coins', 'b'), $user],
            [new Events\ChatMessage('m-1', 42, 'D', 'hello', Events\ChatMessage\Type::System, 1767225600250, userAvatar: null, userFrameId: 4, clientId: 'c'), $room],
            [new Events\RoomUserJoined(42, new Events\Participant(42, 'D', null, ['vip_level' => 3, 'country' => 'DE'])), $room],
            [new Events\RoomUserLeft(42), $room],
            [new Events\SpeakerActive('', [], 1767225600250), $room],
        ];

        return array_combine(array_map(fn (array $sample) => $sample[0]->eventName(), $samples), $samples);
    }
}
