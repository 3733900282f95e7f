<?php

namespace App\Events;

use App\Models\User;
use Illuminate\Foundation\Events\Dispatchable;

/** A gift changed hands: the sender has paid, each recipient has got. */
final readonly class GiftSent
{
    use Dispatchable;

    public function __construct(
        public User $sender,
        public array $recipients,
    ) {}
}
