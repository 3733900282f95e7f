<?php

namespace App\Events;

use App\Models\User;
use Illuminate\Foundation\Events\Dispatchable;

/** A purchase was paid, and its coins are in the user's wallet. */
final readonly class CoinsPurchased
{
    use Dispatchable;

    public function __construct(
        public User $user,
        public int $coins,
    ) {}
}
