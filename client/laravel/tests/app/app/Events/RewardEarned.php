<?php

namespace App\Events;

use App\Models\Reward;
use App\Models\User;
use Illuminate\Foundation\Events\Dispatchable;

/** The user may claim a reward. */
final readonly class RewardEarned
{
    use Dispatchable;

    public function __construct(
        public User $user,
        public Reward $reward,
    ) {}
}
