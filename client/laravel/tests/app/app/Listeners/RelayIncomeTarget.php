<?php

namespace App\Listeners;

use App\Events\IncomeTargetCompleted;
use Msab\Laravel\Events as Relay;
use Msab\Laravel\Events\IncomeTargetCompleted\IncomeTarget;
use Msab\Laravel\Facades\Msab;

/** `income_target.completed` */
final class RelayIncomeTarget
{
    public function handle(IncomeTargetCompleted $event): void
    {
        Msab::toUser($event->host)->emit(new Relay\IncomeTargetCompleted(new IncomeTarget(
            id: $event->target->id,
            tier: $event->target->tier,
            rewardCoins: (string) $event->target->reward_coins,
        )));
    }
}
