<?php

namespace App\Listeners;

use App\Events\RewardEarned;
use Msab\Laravel\Events as Relay;
use Msab\Laravel\Events\RewardEarned\Reward;
use Msab\Laravel\Facades\Msab;

/** `reward.earned` */
final class RelayReward
{
    public function handle(RewardEarned $event): void
    {
        Msab::toUser($event->user)->emit(new Relay\RewardEarned(new Reward(
            id: $event->reward->id,
            type: $event->reward->type,
            amount: $event->reward->amount,
            description: $event->reward->description,
        )));
    }
}
