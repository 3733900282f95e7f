<?php

namespace App\Notifications;

use Illuminate\Bus\Queueable;
use Illuminate\Notifications\Notification;

class LevelReached extends Notification
{
    use Queueable;

    public function __construct(private readonly int $level) {}

    /** @return list<string> */
    public function via(object $notifiable): array
    {
        return ['broadcast'];
    }

    /** @return array<string, mixed> */
    public function toArray(object $notifiable): array
    {
        return ['level' => $this->level];
    }

    public function broadcastAs(): string
    {
        return 'order.level';
    }
}
