<?php

namespace App\Events;

use App\Models\Reward;
use App\Models\User;
use Illuminate\Foundation\Events\Dispatchable;

/** The user has taken a reward; it is in the wallet. */
final readonly class RewardClaimed
{
    use Dispatchable;

    public function __construct(
        public User $user,
        public Reward $reward,
    ) {}
}
