<?php

declare(strict_types=1);

namespace App\Models;

use Illuminate\Broadcasting\PrivateChannel;
use Illuminate\Database\Eloquent\BroadcastsEvents;
use Illuminate\Database\Eloquent\Model;

/** A room that broadcasts what becomes of it, by Laravel's own model broadcasting. */
class Stage extends Model
{
    use BroadcastsEvents;

    protected $table = 'rooms';

    protected $guarded = [];

    /** @return list<mixed> */
    public function broadcastOn(string $event): array
    {
        return [$this, new PrivateChannel('user.5')];
    }

    /** @return array<string, mixed> */
    public function broadcastWith(string $event): array
    {
        return ['name' => $this->name];
    }
}
