<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Unit\Broadcasting;

use Illuminate\Broadcasting\Channel;
use Illuminate\Broadcasting\PresenceChannel;
use Illuminate\Broadcasting\PrivateChannel;
use Msab\Laravel\Broadcasting\ChannelMap;
use Msab\Laravel\Contract\Target;
use Msab\Laravel\Exceptions\InvalidEvent;
use PHPUnit\Framework\Attributes\TestWith;
use PHPUnit\Framework\TestCase;

final class ChannelMapTest extends TestCase
{
    private ChannelMap $map;

    protected function setUp(): void
    {
        $this->map = new ChannelMap(['user.{id}', 'App.Models.User.{id}', 'accounts.{account}.owner'], ['room.{id}']);
    }

    #[TestWith(['private-user.42', 'user:42'])]
    #[TestWith(['user.42', 'user:42'])]
    #[TestWith(['private-App.Models.User.42', 'user:42'])]
    #[TestWith(['presence-accounts.42.owner', 'user:42'])]
    #[TestWith(['presence-room.7', 'room:7'])]
    #[TestWith(['private-room.lobby', 'room:lobby'])]
    #[TestWith(['room.7', 'room:7'])]
    #[TestWith(['private-orders.7', 'room:private-orders.7'])]
    #[TestWith(['presence-orders.7', 'room:presence-orders.7'])]
    #[TestWith(['private-user.42.orders', 'room:private-user.42.orders'])]
    #[TestWith(['private-AppXModels.User.42', 'room:private-AppXModels.User.42'])]
    #[TestWith(['everyone', 'everyone'])]
    #[TestWith(['private-everyone', 'room:private-everyone'])]
    #[TestWith(['news', 'room:news'])]
    public function test_a_channel_is_an_audience(string $channel, string $audience): void
    {
        $this->assertSame($audience, $this->map->target($channel)->text());
    }

    #[TestWith(['private-encrypted-orders.7', 'end-to-end encrypted'])]
    #[TestWith(['private-user.me', 'is no user id'])]
    #[TestWith(['private-orders/7', 'is no room'])]
    public function test_what_is_none_is_refused(string $channel, string $message): void
    {
        $this->expectException(InvalidEvent::class);
        $this->expectExceptionMessage($message);
        $this->map->target($channel);
    }

    public function test_several_users_are_one_target(): void
    {
        $targets = $this->map->targets([
            new PrivateChannel('user.1'), new PresenceChannel('room.7'), new PrivateChannel('App.Models.User.2'),
            new Channel('everyone'), 'private-user.1', new Channel('room.7'),
        ]);

        $this->assertSame(
            [Target::users([1, 2])->text(), 'room:7', 'everyone'],
            array_map(fn (Target $target) => $target->text(), $targets),
        );
    }

    /** Rather than a channel of a user's that goes to a room, where nobody hears it. */
    #[TestWith(['tenants.{tenant}.user.{id}'])]
    #[TestWith(['user.42'])]
    public function test_a_pattern_has_one_placeholder(string $pattern): void
    {
        $this->expectException(\InvalidArgumentException::class);
        $this->expectExceptionMessage("msab.broadcasting: the pattern \"$pattern\" must have one placeholder");
        new ChannelMap([], [$pattern]);
    }
}
