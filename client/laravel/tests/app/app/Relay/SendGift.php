<?php

namespace App\Relay;

use App\Events\GiftSent;
use App\Models\Gift;
use App\Models\User;
use Msab\Laravel\Webhook\Accepted;
use Msab\Laravel\Webhook\GiftCommand;
use Msab\Laravel\Webhook\GiftHandler;
use Msab\Laravel\Webhook\Rejected;

/** Half of a gift's price goes to who gets it. */
final class SendGift implements GiftHandler
{
    public function handleGift(GiftCommand $gift): Accepted|Rejected
    {
        $price = Gift::query()->find($gift->giftId)?->price;
        if ($price === null) {
            return new Rejected('GIFT_UNKNOWN', 'There is no such gift.');
        }

        // All in the order of their ids, so that two gifts that cross each other don't deadlock.
        $users = User::query()->whereKey([$gift->userId, ...$gift->recipientIds])->orderBy('id')->lockForUpdate()->get()->keyBy('id');
        $sender = $users[$gift->userId] ?? null;
        $recipients = $users->only($gift->recipientIds);
        if ($recipients->isEmpty()) {
            return new Rejected('RECIPIENT_UNKNOWN', 'Whom is it for?');
        }
        $cost = $price * $gift->quantity;
        if ($sender === null || $sender->coins < $cost * $recipients->count()) {
            return new Rejected('INSUFFICIENT_BALANCE', 'Not enough coins.');
        }

        $sender->decrement('coins', $cost * $recipients->count());
        $recipients->each(fn (User $recipient) => $recipient->increment('coins', intdiv($cost, 2)));
        GiftSent::dispatch($sender, $recipients->values()->all());  // balance.updated, once this has been committed

        return Accepted::recipients($recipients->modelKeys());
    }
}
