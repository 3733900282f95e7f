<?php

namespace App\Listeners;

use App\Events\CoinsPurchased;
use App\Events\GiftSent;
use App\Events\RewardClaimed;
use Msab\Laravel\Events\BalanceUpdated;
use Msab\Laravel\Facades\Msab;

/** `balance.updated`: after gifts, purchases and claimed rewards. */
final class RelayBalance
{
    public function handle(CoinsPurchased|GiftSent|RewardClaimed $event): void
    {
        $users = $event instanceof GiftSent ? [$event->sender, ...$event->recipients] : [$event->user];
        foreach ($users as $user) {
            Msab::toUser($user)->emit(new BalanceUpdated(coins: (string) $user->coins));
        }
    }
}
