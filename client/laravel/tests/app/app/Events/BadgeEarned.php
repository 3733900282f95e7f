<?php

namespace App\Events;

use App\Models\Badge;
use App\Models\User;
use Illuminate\Foundation\Events\Dispatchable;

/** The user has a new badge. */
final readonly class BadgeEarned
{
    use Dispatchable;

    public function __construct(
        public User $user,
        public Badge $badge,
    ) {}
}
