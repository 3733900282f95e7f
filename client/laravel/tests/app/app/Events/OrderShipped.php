<?php

namespace App\Events;

use Illuminate\Broadcasting\InteractsWithSockets;
use Illuminate\Broadcasting\PrivateChannel;
use Illuminate\Contracts\Broadcasting\ShouldBroadcast;
use Illuminate\Foundation\Events\Dispatchable;

/** An ordinary broadcast, as Laravel's documentation has it: an event of the relay's configuration. */
class OrderShipped implements ShouldBroadcast
{
    use Dispatchable, InteractsWithSockets;

    public function __construct(public int $orderId, public int $userId) {}

    public function broadcastOn(): array
    {
        return [new PrivateChannel("App.Models.User.$this->userId"), new PrivateChannel("orders.$this->orderId")];
    }
}
