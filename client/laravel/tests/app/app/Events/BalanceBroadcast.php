<?php

namespace App\Events;

use App\Models\User;
use Illuminate\Broadcasting\InteractsWithSockets;
use Illuminate\Broadcasting\PrivateChannel;
use Illuminate\Contracts\Broadcasting\ShouldBroadcast;
use Illuminate\Foundation\Events\Dispatchable;

/** A broadcast with a name of the contract: it goes out typed and checked. */
class BalanceBroadcast implements ShouldBroadcast
{
    use Dispatchable, InteractsWithSockets;

    public function __construct(public User $user) {}

    public function broadcastOn(): PrivateChannel
    {
        return new PrivateChannel("user.{$this->user->id}");
    }

    public function broadcastAs(): string
    {
        return 'balance.updated';
    }

    /** @return array<string, mixed> */
    public function broadcastWith(): array
    {
        return ['coins' => $this->user->coins];
    }
}
